namespace Architekt.Fabric.Nbd;

/// <summary>Transport over any stream.</summary>
internal sealed class StreamTransport(Stream stream) : NbdTransport
{
    public override ValueTask<int> ReceiveAsync(Memory<byte> destination, CancellationToken cancellationToken) =>
        stream.ReadAsync(destination, cancellationToken);

    public override ValueTask SendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) => stream.WriteAsync(data, cancellationToken);

    public override async ValueTask SendAsync(OutboundItem[] items, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await stream.WriteAsync(items[i].Header.AsMemory(0, items[i].HeaderLength)).ConfigureAwait(false);
            if (!items[i].Payload.IsEmpty)
                await stream.WriteAsync(items[i].Payload).ConfigureAwait(false);
        }

        await stream.FlushAsync().ConfigureAwait(false);
    }

    public override void Abort() => stream.Dispose();
}
