namespace Architekt.Fabric.Nbd;

/// <summary>A message to send: a header and a payload that lies elsewhere. Reused from message to message.</summary>
internal abstract class OutboundItem
{
    /// <summary>Room for any header of the protocol, with an error text or a few extents.</summary>
    private const int HeaderCapacity = 160;

    /// <summary>Pinned, so that sending it needs no handle.</summary>
    public byte[] Header { get; } = GC.AllocateUninitializedArray<byte>(HeaderCapacity, pinned: true);

    public int HeaderLength { get; set; }

    public ReadOnlyMemory<byte> Payload { get; set; }

    public long TotalLength => (long)HeaderLength + Payload.Length;

    /// <summary>Link of the queue or free list the item is in.</summary>
    public OutboundItem? Next { get; set; }

    /// <summary>The transport no longer reads the header or the payload. Called exactly once per time it was queued.</summary>
    public abstract void Sent(bool delivered);
}
