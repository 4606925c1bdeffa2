using Architekt.Fabric.Memory;
using Architekt.Fabric.Peer.Hosting;

namespace Architekt.Fabric.Peer.Migration;

/// <summary>
/// Copies guest RAM in rounds while the guest runs. Scan and protect first, read the pages after: a write in between is found by the next
/// scan (docs/migration.md, rule 1).
/// </summary>
internal sealed class PreCopy(
    GuestMemory memory, DirtyTracker tracker, MemoryPusher pusher, PeerCopy options, TransferLog log, TimeProvider time, ILogger logger)
{
    /// <summary>A round below this says more about latency than about throughput.</summary>
    private const long LeastBytesToMeasure = 1 << 20;

    /// <summary>What a scan and a round trip cost besides the bytes; part of the pause whatever is left.</summary>
    private const double FixedMs = 0.5;

    /// <summary>A request costs both sides about as much time as this many bytes more in the one before.</summary>
    private const long CheapGap = 8 << 10;

    private static readonly TimeSpan IdlePace = TimeSpan.FromMilliseconds(20);
    private readonly List<PageRange> _ranges = [];
    private double _bytesPerMs = 500_000;
    private int _rounds;
    private long _data;
    private long _zero;
    private long _skipped;
    private long _base;

    public PeerCounters Counters(long diskBytes, long stateBytes, long lastRoundBytes) =>
        new(_rounds, _data, _zero, _skipped, diskBytes, stateBytes, lastRoundBytes, _base);

    /// <summary>Sends what the destination has to have at first. What is written from before it was planned has to be tracked.</summary>
    public async Task RunFirstPassAsync(FirstPass pass, Func<long> diskBytes, CancellationToken aborted)
    {
        _base = pass.BaseBytes;
        var left = pass.Bytes;
        foreach (var batch in Batches(pass.Ranges))
        {
            var began = time.GetTimestamp();
            var pushed = await pusher.PushAsync(batch, pass.DestinationIsZero, options.BandwidthBytesPerSecond, aborted);
            left -= batch.Sum(static range => range.Length);
            _data += pushed.Data;
            if (!pass.DestinationIsZero) _zero += pushed.Zero;
            Measure(pushed, time.GetElapsedTime(began).TotalMilliseconds);
            Report(diskBytes(), converged: false, left, dirtyPerSecond: 0);
        }

        _skipped = memory.Length - _data - _zero - _base;
        _rounds = 1;
    }

    /// <summary>Rounds until <paramref name="switching"/> is cancelled. Throws when they do not converge.</summary>
    public async Task RunAsync(Func<bool> isDiskReady, Func<long> diskBytes, CancellationToken switching, CancellationToken aborted)
    {
        var began = time.GetTimestamp();
        for (var unconverged = 0; !switching.IsCancellationRequested;)
        {
            var sinceLast = time.GetTimestamp();
            var (dirty, _, _) = await RoundAsync(options.BandwidthBytesPerSecond, aborted);
            var left = EstimateMs(dirty);
            var converged = left <= options.PauseBudgetMs && isDiskReady();
            var ms = Math.Max(0.001, time.GetElapsedTime(sinceLast).TotalMilliseconds);
            Report(diskBytes(), converged, dirty, dirty / ms * 1000);
            if (converged)
            {
                await Task.Delay(IdlePace, time, switching).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                continue;
            }

            if (left > options.PauseBudgetMs && ++unconverged > options.MaxRounds)
                throw PeerException.Failed(NotConverging($"{options.MaxRounds} rounds", left));
            if (time.GetElapsedTime(began).TotalMilliseconds > options.TimeoutMs)
                throw PeerException.Failed(NotConverging($"{options.TimeoutMs / 1000} s", left));
            if (left <= options.PauseBudgetMs)
                await Task.Delay(IdlePace, time, switching).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>One scan and its pages. Returns the bytes that were dirty and how long scanning and all of it took.</summary>
    public Task<(long Dirty, double ScanMs, double Ms)> RoundAsync(long bytesPerSecond, CancellationToken cancellationToken) =>
        RoundAsync(bytesPerSecond, largestGap: 0, cancellationToken);

    /// <summary>A round while the guest waits, or is about to: as soon as possible is worth some bytes.</summary>
    public Task<(long Dirty, double ScanMs, double Ms)> HurriedRoundAsync(CancellationToken cancellationToken) =>
        RoundAsync(bytesPerSecond: 0, CheapGap, cancellationToken);

    private async Task<(long Dirty, double ScanMs, double Ms)> RoundAsync(long bytesPerSecond, long largestGap, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var scan = tracker.Collect(_ranges);
        if (scan.Outcome != DirtyScanOutcome.Complete)
            throw PeerException.Failed($"The guest's writes could not be tracked any more ({scan.Outcome}); it stays where it is.");
        PageRanges.Join(_ranges, largestGap);
        var pushed = await pusher.PushAsync(_ranges, destinationIsZero: false, bytesPerSecond, cancellationToken);
        var ms = time.GetElapsedTime(began).TotalMilliseconds;
        Count(pushed, ms);
        PeerLog.Round(logger, _rounds, scan.Pages, ms, scan.Elapsed.TotalMilliseconds);
        return (pushed.Data + pushed.Zero, scan.Elapsed.TotalMilliseconds, ms);
    }

    /// <summary>Ranges in lots of at most <see cref="Piece"/> bytes, so that progress is seen on a large guest, and small ones go out together.</summary>
    private static IEnumerable<List<PageRange>> Batches(IEnumerable<PageRange> ranges)
    {
        var batch = new List<PageRange>();
        long room = Piece;
        foreach (var range in ranges)
        {
            for (var offset = range.Offset; offset < range.End;)
            {
                var part = new PageRange(offset, Math.Min(room, range.End - offset));
                batch.Add(part);
                offset = part.End;
                room -= part.Length;
                if (room > 0) continue;
                yield return batch;
                (batch, room) = ([], Piece);
            }
        }

        if (batch.Count > 0) yield return batch;
    }

    private const long Piece = 64 << 20;

    private void Count(PushedBytes pushed, double ms)
    {
        _rounds++;
        _data += pushed.Data;
        _zero += pushed.Zero;
        Measure(pushed, ms);
    }

    private void Measure(PushedBytes pushed, double ms)
    {
        if (pushed.Data >= LeastBytesToMeasure && ms > 0) _bytesPerMs = pushed.Data / ms;
    }

    private double EstimateMs(long dirty) => FixedMs + (dirty / _bytesPerMs);

    private void Report(long diskBytes, bool converged, long remaining, double dirtyPerSecond) => log.Report(latest => latest with
    {
        IsConverged = converged,
        Counters = Counters(diskBytes, 0, 0),
        RemainingBytes = remaining,
        BytesPerSecond = _bytesPerMs * 1000,
        DirtyBytesPerSecond = dirtyPerSecond,
    });

    private string NotConverging(string after, double left) =>
        $"The guest writes memory faster than it can be copied: after {after} sending what is left would still take {left:0} ms and the budget is {options.PauseBudgetMs} ms. " +
        "Raise the pause budget, the bandwidth or the number of connections, or try again when it is less busy.";
}
