namespace Architekt.Fabric.Nbd;

/// <summary>
/// An opened export on a server: one connection (<see cref="NbdClient"/>) or several (<see cref="NbdMultiConnection"/>). Safe for many callers at once; requests are
/// pipelined and complete in any order. Requests longer than the server takes are split. A request that the server refuses throws
/// <see cref="NbdClientException"/>, a lost connection <see cref="NbdConnectionException"/>.
/// A cancellation counts until the request is handed to the connection. From then on the caller's memory is in use until the task ends, and disposing the client is what ends it early.
/// </summary>
public interface INbdClient : IAsyncDisposable
{
    /// <summary>Size of the export in bytes.</summary>
    long Size { get; }

    /// <summary>What the export offers.</summary>
    NbdFeatures Flags { get; }

    /// <summary>Block sizes the server asks for.</summary>
    NbdBlockSizes BlockSizes { get; }

    /// <summary>True when <see cref="GetExtentsAsync"/> is possible: the server selected <c>base:allocation</c>.</summary>
    bool CanGetExtents { get; }

    /// <summary>Fills <paramref name="destination"/> from <paramref name="offset"/>.</summary>
    ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken = default);

    /// <summary>Writes <paramref name="source"/> at <paramref name="offset"/>, sent straight from that memory; with <paramref name="fua"/> it is durable when the task ends.</summary>
    ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, bool fua = false, CancellationToken cancellationToken = default);

    /// <summary>Makes every write that completed before the call durable.</summary>
    ValueTask FlushAsync(CancellationToken cancellationToken = default);

    /// <summary>Tells the server that the range is no longer needed; its content is undefined afterwards.</summary>
    ValueTask TrimAsync(long offset, long length, bool fua = false, CancellationToken cancellationToken = default);

    /// <summary>Makes the range read as zeroes.</summary>
    ValueTask WriteZeroesAsync(long offset, long length, NbdZeroOptions options = NbdZeroOptions.None, CancellationToken cancellationToken = default);

    /// <summary>Allocation of a range as consecutive extents that cover it exactly.</summary>
    ValueTask<IReadOnlyList<NbdExtent>> GetExtentsAsync(long offset, long length, CancellationToken cancellationToken = default);

    /// <summary>
    /// Keeps further requests until <see cref="Uncork"/>, or until 256 KiB of them wait, so that many small ones go out in few system calls and
    /// wake the other side once. Do not wait for a request in between.
    /// </summary>
    void Cork();

    /// <summary>Sends what was kept, and from then on each request at once.</summary>
    void Uncork();
}
