using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using Architekt.Fabric.Nbd;
using Architekt.Fabric.Packages;

namespace Architekt.Fabric.PackageTransfer;

/// <summary>One attempt to get what a pull misses from one source.</summary>
internal sealed class PullAttempt(
    PackagePull pull, EndPoint server, IReadOnlyDictionary<string, string> exports, PackagePullOptions options, IProgress<PackageProgress>? progress)
    : IAsyncDisposable
{
    // Lost at most, for each connection, when the pull is interrupted; and how often the disk is waited for.
    private const long StretchBytes = 32 << 20;

    private const int ReadBytes = 1 << 20;
    private const int ReadsAtOnce = 4;

    private readonly List<INbdClient> _clients = [];
    private long _done = pull.BytesDone;
    private Exception? _failure;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var stretches = new ConcurrentQueue<PullStretch>(await PlanAsync(cancellationToken).ConfigureAwait(false));
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var workers = Enumerable.Range(0, options.Connections).Select(_ => Task.Run(() => WorkAsync(stretches, ending), CancellationToken.None)).ToList();
        // A request that was sent cannot be called back: closing its connection is what ends it.
        using (ending.Token.Register(() => _ = CloseAsync()))
            await Task.WhenAll(workers).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // The first failure is the reason; the others are what it caused.
        if (_failure is { } failure)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        cancellationToken.ThrowIfCancellationRequested();
    }

    public async ValueTask DisposeAsync() => await CloseAsync().ConfigureAwait(false);

    /// <summary>Connects to all entries that miss something; takes a stretch of each in turn, so that all are read side by side.</summary>
    private async Task<List<PullStretch>> PlanAsync(CancellationToken cancellationToken)
    {
        var perEntry = new List<List<PullStretch>>();
        foreach (var entry in pull.Manifest.Entries)
        {
            var missing = pull.Missing(entry.Name).SelectMany(Cut).ToList();
            if (missing.Count == 0)
                continue;
            var client = await ConnectAsync(entry, Math.Min(options.Connections, missing.Count), cancellationToken).ConfigureAwait(false);
            perEntry.Add([.. missing.Select(range => new PullStretch(entry.Name, client, range))]);
        }

        var longest = perEntry.Select(stretches => stretches.Count).DefaultIfEmpty(0).Max();
        return [.. from turn in Enumerable.Range(0, longest) from stretches in perEntry where turn < stretches.Count select stretches[turn]];
    }

    private async Task<INbdClient> ConnectAsync(PackageEntry entry, int connections, CancellationToken cancellationToken)
    {
        if (!exports.TryGetValue(entry.Name, out var name))
            throw new PackageTransferException(PackageTransferErrorCode.SourceWrong, $"{server} does not offer the entry '{entry.Name}' of {pull.Digest}. Pull it from another host.");
        var client = await NbdMultiConnection.ConnectAsync(
            server,
            name,
            connections,
            new NbdClientOptions { StallTimeout = options.StallTimeout, TimeProvider = options.TimeProvider },
            cancellationToken).ConfigureAwait(false);
        _clients.Add(client);
        return client.Size == entry.Size
            ? client
            : throw new PackageTransferException(
                PackageTransferErrorCode.SourceWrong,
                $"The entry '{entry.Name}' at {server} has {client.Size} bytes, but the manifest of {pull.Digest} says {entry.Size}. Pull it from another host.");
    }

    private static IEnumerable<PackageRange> Cut(PackageRange range)
    {
        for (var offset = range.Offset; offset < range.End; offset += StretchBytes)
            yield return new PackageRange(offset, Math.Min(StretchBytes, range.End - offset));
    }

    private async Task WorkAsync(ConcurrentQueue<PullStretch> stretches, CancellationTokenSource ending)
    {
        try
        {
            while (stretches.TryDequeue(out var stretch))
            {
                ending.Token.ThrowIfCancellationRequested();
                await PullAsync(stretch, ending.Token).ConfigureAwait(false);
            }
        }
        catch (Exception error)
        {
            if (error is not OperationCanceledException)
                Interlocked.CompareExchange(ref _failure, error, null);
            await ending.CancelAsync().ConfigureAwait(false);
        }
    }

    private async Task PullAsync(PullStretch stretch, CancellationToken cancellationToken)
    {
        var (entry, client, range) = stretch;
        IReadOnlyList<NbdExtent> extents = client.CanGetExtents
            ? await client.GetExtentsAsync(range.Offset, range.Length, cancellationToken).ConfigureAwait(false)
            : [new NbdExtent(range.Offset, range.Length, NbdExtentState.Data)];
        foreach (var hole in extents.Where(extent => extent.IsZero))
            Report(entry, hole.Length);
        var pieces = extents.Where(extent => !extent.IsZero).SelectMany(Pieces);
        await Parallel.ForEachAsync(
            pieces,
            new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = cancellationToken },
            async (piece, _) => await ReadAsync(entry, client, piece).ConfigureAwait(false)).ConfigureAwait(false);
        pull.Complete(entry, range);
    }

    private static IEnumerable<PackageRange> Pieces(NbdExtent extent)
    {
        for (var offset = extent.Offset; offset < extent.End; offset += ReadBytes)
            yield return new PackageRange(offset, Math.Min(ReadBytes, extent.End - offset));
    }

    private async Task ReadAsync(string entry, INbdClient client, PackageRange piece)
    {
        // Not given back when the read fails: the connection may still write into it.
        var buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
        await client.ReadAsync(piece.Offset, buffer.AsMemory(0, (int)piece.Length), CancellationToken.None).ConfigureAwait(false);
        pull.Write(entry, piece.Offset, buffer.AsSpan(0, (int)piece.Length));
        ArrayPool<byte>.Shared.Return(buffer);
        Report(entry, piece.Length);
    }

    private void Report(string entry, long bytes) =>
        progress?.Report(new PackageProgress(entry, Interlocked.Add(ref _done, bytes), pull.BytesTotal));

    private Task CloseAsync() => Task.WhenAll(_clients.Select(client => client.DisposeAsync().AsTask()));
}
