using System.Net;
using Architekt.Fabric.Grains;
using Architekt.Fabric.Nbd;

namespace Architekt.Fabric.Silo.Runtime;

/// <summary>Reads the disk of a stopped VM from the host it comes from. Holes stay holes.</summary>
internal sealed class DiskFetch : IAsyncDisposable
{
    private const int PieceBytes = 1 << 20;
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);
    private readonly CancellationTokenSource _cancelled = new();
    private readonly TimeProvider _time;
    private readonly Task _fetching;
    private readonly long _began;
    private long _done;
    private long _total;

    /// <summary>Begins.</summary>
    /// <param name="offer">Where to read from.</param>
    /// <param name="path">Where it is to be once it is whole. What is there already stays: it is whole, and may be in use.</param>
    /// <param name="complete">What to do with the file before it is there.</param>
    /// <param name="time">For waiting.</param>
    public DiskFetch(DiskOffer offer, string path, Func<string, CancellationToken, Task> complete, TimeProvider time)
    {
        _time = time;
        _began = time.GetTimestamp();
        _fetching = Task.Run(() => RunAsync(offer, path, complete, _cancelled.Token));
    }

    /// <summary>How far it is; waits up to a second for the end.</summary>
    public async Task<TransferStatus> GetStatusAsync(CancellationToken cancellationToken)
    {
        await _fetching.WaitAsync(LongestWait, _time, cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        cancellationToken.ThrowIfCancellationRequested();
        var (done, total) = (Volatile.Read(ref _done), Volatile.Read(ref _total));
        var seconds = _time.GetElapsedTime(_began).TotalSeconds;
        return new TransferStatus(
            done + (_fetching.IsCompleted ? 1 : 0),
            _fetching.IsCompletedSuccessfully,
            _fetching.IsFaulted ? $"the disk could not be fetched: {_fetching.Exception.InnerException!.Message}" : null,
            TransferCounters.None with { DiskBytes = done },
            total - done,
            done / Math.Max(seconds, 0.001),
            0);
    }

    /// <summary>Stops it and waits until it has stopped.</summary>
    public async ValueTask DisposeAsync()
    {
        await _cancelled.CancelAsync();
        await _fetching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        _cancelled.Dispose();
    }

    private async Task RunAsync(DiskOffer offer, string path, Func<string, CancellationToken, Task> complete, CancellationToken cancellationToken)
    {
        var part = path + HostPaths.PartSuffix;
        try
        {
            await ReadAsync(offer, part, cancellationToken);
            await complete(part, cancellationToken);
            if (!File.Exists(path)) File.Move(part, path);
        }
        finally
        {
            File.Delete(part);
        }
    }

    private async Task ReadAsync(DiskOffer offer, string path, CancellationToken cancellationToken)
    {
        await using (var source = await NbdClient.ConnectAsync(
            new IPEndPoint(IPAddress.Parse(offer.Address), offer.Port), offer.Export, options: null, cancellationToken))
        {
            using var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
            RandomAccess.SetLength(file, source.Size);
            var extents = await source.GetExtentsAsync(0, source.Size, cancellationToken);
            var data = extents.Where(static extent => !extent.IsZero).ToList();
            Volatile.Write(ref _total, data.Sum(static extent => extent.Length));
            var buffer = new byte[PieceBytes];
            foreach (var extent in data)
            {
                for (var position = extent.Offset; position < extent.End;)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    var piece = buffer.AsMemory(0, (int)Math.Min(PieceBytes, extent.End - position));
                    await source.ReadAsync(position, piece, cancellationToken);
                    await RandomAccess.WriteAsync(file, piece, position, cancellationToken);
                    position += piece.Length;
                    Volatile.Write(ref _done, _done + piece.Length);
                }
            }

            RandomAccess.FlushToDisk(file);
        }
    }
}
