namespace Architekt.Fabric.Nbd;

/// <summary>A byte stream with one sender and one receiver at a time.</summary>
internal abstract class NbdTransport
{
    /// <summary>Receives at least one byte, or 0 at the end of the stream.</summary>
    public abstract ValueTask<int> ReceiveAsync(Memory<byte> destination, CancellationToken cancellationToken);

    /// <summary>Sends all of <paramref name="data"/>.</summary>
    public abstract ValueTask SendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

    /// <summary>Sends the first <paramref name="count"/> items completely, in order.</summary>
    public abstract ValueTask SendAsync(OutboundItem[] items, int count);

    /// <summary>Ends both directions at once; what is pending fails. Can be called from anywhere and more than once.</summary>
    public abstract void Abort();
}
