using System.Buffers;
using System.Net;
using Architekt.Fabric.Nbd;
using Architekt.Fabric.Packages;

namespace Architekt.Fabric.PackageTransfer;

/// <summary>One entry on its way to a host: a few writes at a time, and a flush now and then, so that an interruption costs little.</summary>
internal sealed class EntryUpload : IAsyncDisposable
{
    private const int WritesAtOnce = 4;
    private const long BytesBetweenFlushes = 32 << 20;
    private static readonly TimeSpan _stallTimeout = TimeSpan.FromSeconds(20);

    private readonly NbdClient _client;
    private readonly IReadOnlyList<PackageRange> _missing;
    private readonly Queue<Task> _writing = new();
    private readonly CancellationTokenRegistration _cancelled;
    private long _unflushed;

    private EntryUpload(NbdClient client, IReadOnlyList<PackageRange> missing, CancellationToken cancellationToken)
    {
        (_client, _missing) = (client, missing);
        // A request that was sent cannot be called back: closing its connection is what ends it.
        _cancelled = cancellationToken.Register(() => _ = client.DisposeAsync().AsTask());
    }

    internal static async Task<EntryUpload> BeginAsync(
        EndPoint server, string export, IReadOnlyList<PackageRange> missing, CancellationToken cancellationToken)
    {
        var options = new NbdClientOptions { StallTimeout = _stallTimeout, AllocationContext = false };
        return new EntryUpload(await NbdClient.ConnectAsync(server, export, options, cancellationToken).ConfigureAwait(false), missing, cancellationToken);
    }

    /// <summary>Sends a stretch, unless all of it is there.</summary>
    internal async ValueTask SendAsync(PackageRange range, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!_missing.Any(missing => missing.Offset < range.End && range.Offset < missing.End))
            return;
        if (_writing.Count == WritesAtOnce)
            await _writing.Dequeue().ConfigureAwait(false);
        _writing.Enqueue(data.IsEmpty
            ? _client.WriteZeroesAsync(range.Offset, range.Length, cancellationToken: CancellationToken.None).AsTask()
            : WriteAsync(range.Offset, data));
        _unflushed += data.Length;
        if (_unflushed >= BytesBetweenFlushes)
            await FlushAsync().ConfigureAwait(false);
    }

    /// <summary>Returns when all that was sent is on the host's disk.</summary>
    internal async Task FinishAsync(CancellationToken cancellationToken)
    {
        await FlushAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
    }

    public async ValueTask DisposeAsync()
    {
        await _cancelled.DisposeAsync().ConfigureAwait(false);
        await _client.DisposeAsync().ConfigureAwait(false);
        foreach (var write in _writing)
            await write.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task FlushAsync()
    {
        while (_writing.TryDequeue(out var write))
            await write.ConfigureAwait(false);
        await _client.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        _unflushed = 0;
    }

    private async Task WriteAsync(long offset, ReadOnlyMemory<byte> data)
    {
        // A copy: the original is only lent for as long as it takes to hand it on. Not given back when the write fails, since the connection may still read it.
        var copy = ArrayPool<byte>.Shared.Rent(data.Length);
        data.CopyTo(copy);
        await _client.WriteAsync(offset, copy.AsMemory(0, data.Length), cancellationToken: CancellationToken.None).ConfigureAwait(false);
        ArrayPool<byte>.Shared.Return(copy);
    }
}
