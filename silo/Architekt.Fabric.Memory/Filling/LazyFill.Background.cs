using System.Numerics;

namespace Architekt.Fabric.Memory;

public sealed partial class LazyFill
{
    /// <summary>Stretches of the guest's RAM that the kernel has to keep apart (VMAs): far below the 65530 that a process may have (vm.max_map_count).</summary>
    private const int MostHoles = 8192;

    /// <summary>A hole shorter than this, 256 KiB, is filled with zeros; others stay holes.</summary>
    private const long ShortestHole = FillMap.BlockBytes;

    /// <summary>The guest's page faults wait while the kernel changes a mapping, so that is done in pieces.</summary>
    private const long HolePiece = 64 << 20;

    private static readonly TimeSpan _otherThread = TimeSpan.FromMilliseconds(1);

    private async Task FillAsync()
    {
        try
        {
            BringFirst();
            for (var block = 0; block < _map.Blocks && !HasEnded;)
            {
                if (await MayGoOnAsync().ConfigureAwait(false) && Bring(block++) is > 0 and var pages && Current == FillMode.Idle)
                    await WaitAsync(Pace(pages), Changed).ConfigureAwait(false);
            }

            // The last pages may be on their way in the other thread.
            for (var block = 0; block < _map.Blocks && !HasEnded;)
            {
                if (_map.HasAllData(block))
                    block++;
                else if (Bring(block) == 0)
                    await WaitAsync(_otherThread, CancellationToken.None).ConfigureAwait(false);
            }

            CloseHoles();
            if (HasEnded)
                return;
            _memory.EndFill();
            _completion.TrySetResult();
        }
        catch (Exception failure)
        {
            Fail(failure);
        }
    }

    /// <summary>The mode, or now if somebody waits.</summary>
    private FillMode Current => Volatile.Read(ref _waiting) > 0 ? FillMode.Now : _mode;

    private bool HasEnded => _isDisposed || _completion.Task.IsCompleted;

    /// <summary>Is cancelled when something has changed that a wait depends on. Has to be taken before looking at what it is about.</summary>
    private CancellationToken Changed
    {
        get
        {
            lock (_lock)
                return _change.Token;
        }
    }

    private void Change()
    {
        CancellationTokenSource old;
        lock (_lock)
        {
            old = _change;
            _change = new CancellationTokenSource();
        }
        old.Cancel();
        old.Dispose();
    }

    /// <summary>False after it has waited; the mode may be another then.</summary>
    private async ValueTask<bool> MayGoOnAsync()
    {
        var changed = Changed;

        // Before the last fault is read: whatever holds this thread up in between must not look like the guest's rest.
        var now = _time.GetTimestamp();
        var wait = Current switch
        {
            FillMode.Now => TimeSpan.Zero,
            FillMode.Idle => _options.QuietTime - _time.GetElapsedTime(Volatile.Read(ref _lastFault), now),
            _ => Timeout.InfiniteTimeSpan,
        };
        if (HasEnded)
            return false;
        if (wait <= TimeSpan.Zero && wait != Timeout.InfiniteTimeSpan)
            return true;
        await WaitAsync(wait, changed).ConfigureAwait(false);
        return false;
    }

    /// <summary>In whole milliseconds, because the rest of one would be left out.</summary>
    private TimeSpan Pace(int pages) => TimeSpan.FromMilliseconds(Math.Ceiling(1000.0 * pages * GuestMemory.PageSize / _options.IdleBytesPerSecond));

    private async Task WaitAsync(TimeSpan delay, CancellationToken changed) =>
        await Task.Delay(delay, _time, changed).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <summary>What the guest will touch soon, holes of the package included.</summary>
    private void BringFirst()
    {
        if (_options.First is not { } first || Current == FillMode.None)
            return;
        for (var block = 0; block < _map.Blocks && !HasEnded; block++)
        {
            if (first.Words[block] is not 0 and var pages)
                Bring(block, _map.Claim(block, pages & _map.Unclaimed(block)));
        }
    }

    /// <summary>Brings the data of a block that is missing.</summary>
    /// <returns>Number of pages that were missing.</returns>
    private int Bring(int block) => Bring(block, _map.Claim(block, _map.Data(block) & _map.Unclaimed(block)));

    private int Bring(int block, ulong claimed)
    {
        if (_background.Install(block, claimed) is { } failure)
            throw failure;
        return BitOperations.PopCount(claimed);
    }

    /// <summary>
    /// Makes the guest independent of this process: what the package has nothing for becomes the kernel's, which gives out zeros by itself, or, where that would tear the mapping into
    /// too many pieces, is filled with zeros.
    /// </summary>
    private void CloseHoles()
    {
        var holes = new List<PageRange>();
        for (var block = 0; block < _map.Blocks; block++)
            Append(holes, block, _map.Existing(block) & ~_map.Data(block));
        var shortest = ShortestHole;
        while (holes.Count(hole => hole.Length >= shortest) > MostHoles)
            shortest *= 2;
        _map.IsClosing = true;
        foreach (var hole in holes)
        {
            for (var offset = hole.Offset; offset < hole.End && !HasEnded; offset += HolePiece)
                CloseHole(new PageRange(offset, Math.Min(HolePiece, hole.End - offset)), hole.Length >= shortest);
        }
    }

    private void CloseHole(PageRange hole, bool isKernels)
    {
        for (var block = (int)(hole.Offset / FillMap.BlockBytes); (long)block * FillMap.BlockBytes < hole.End; block++)
        {
            var claimed = _map.Claim(block, FillMap.Within(block, hole) & _map.Unclaimed(block));
            if (!isKernels)
                Bring(block, claimed);
        }
        if (isKernels)
            _tracker.StopServing(_userfault, _memory, hole);
    }

    private static void Append(List<PageRange> ranges, int block, ulong pages)
    {
        while (pages != 0)
        {
            var (first, count) = FillMap.FirstRun(pages);
            var range = new PageRange(((long)block * FillMap.BlockBytes) + ((long)first * GuestMemory.PageSize), (long)count * GuestMemory.PageSize);
            if (ranges.Count > 0 && ranges[^1].End == range.Offset)
                ranges[^1] = ranges[^1] with { Length = ranges[^1].Length + range.Length };
            else
                ranges.Add(range);
            pages &= ~FillMap.Run(first, count);
        }
    }
}
