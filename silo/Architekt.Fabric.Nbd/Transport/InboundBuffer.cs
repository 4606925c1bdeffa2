using System.Runtime.CompilerServices;

namespace Architekt.Fabric.Nbd;

/// <summary>
/// The receiving side of a connection: headers are read many at a time through a buffer, payloads go straight to their destination.
/// <paramref name="beforeWait"/> runs before each receive, when nothing more can be done with what has arrived.
/// </summary>
internal sealed class InboundBuffer(NbdTransport transport, Action? beforeWait = null)
{
    private const int Capacity = 64 << 10;

    /// <summary>After a large payload another one is likely: reading little beyond its header leaves the rest for the direct way.</summary>
    private const int ReadAheadBetweenLargePayloads = 4 << 10;
    private const int LargePayload = 32 << 10;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(Capacity, pinned: true);
    private int _start;
    private int _end;
    private int _readAhead = Capacity;

    /// <summary>Longest run that <see cref="FillAsync"/> can be asked for.</summary>
    public const int MaxFill = Capacity;

    public int Buffered => _end - _start;

    /// <summary>Bytes received in all; only for watching progress.</summary>
    public long Received { get; private set; }

    /// <summary>What has arrived and was not taken.</summary>
    public ReadOnlySpan<byte> Span => _buffer.AsSpan(_start, _end - _start);

    /// <summary>Takes bytes out of <see cref="Span"/>.</summary>
    public void Skip(int count) => _start += count;

    /// <summary>Waits until <paramref name="count"/> bytes are in <see cref="Span"/>. False when the stream ended before the first of them.</summary>
    public ValueTask<bool> FillAsync(int count, CancellationToken cancellationToken = default) =>
        Buffered >= count ? ValueTask.FromResult(true) : FillSlowAsync(count, cancellationToken);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> FillSlowAsync(int count, CancellationToken cancellationToken)
    {
        if (_start == _end)
        {
            _start = _end = 0;
        }
        else if (_start + Math.Max(count, _readAhead) > Capacity)
        {
            _buffer.AsSpan(_start, Buffered).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        while (Buffered < count)
        {
            var room = Math.Min(Capacity - _end, Math.Max(count, _readAhead) - Buffered);
            var received = await ReceiveAsync(_buffer.AsMemory(_end, room), cancellationToken).ConfigureAwait(false);
            if (received == 0)
            {
                if (Buffered == 0)
                    return false;
                throw new EndOfStreamException("The NBD connection ended in the middle of a message.");
            }

            _end += received;
        }

        return true;
    }

    /// <summary>Fills <paramref name="destination"/>, straight from the transport where it was not read ahead.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask ReadExactlyAsync(Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        _readAhead = destination.Length >= LargePayload ? ReadAheadBetweenLargePayloads : Capacity;
        var copied = Math.Min(Buffered, destination.Length);
        Span[..copied].CopyTo(destination.Span);
        Skip(copied);
        while (copied < destination.Length)
        {
            var received = await ReceiveAsync(destination[copied..], cancellationToken).ConfigureAwait(false);
            if (received == 0)
                throw new EndOfStreamException("The NBD connection ended in the middle of a payload.");
            copied += received;
        }
    }

    /// <summary>Reads and forgets bytes, however many, in bounded memory.</summary>
    public async ValueTask DiscardAsync(long count, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var dropped = (int)Math.Min(Buffered, count);
            Skip(dropped);
            count -= dropped;
            if (count == 0)
                return;
            _start = _end = 0;
            _end = await ReceiveAsync(_buffer.AsMemory(0, (int)Math.Min(Capacity, count)), cancellationToken).ConfigureAwait(false);
            if (_end == 0)
                throw new EndOfStreamException("The NBD connection ended in the middle of a payload.");
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReceiveAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        beforeWait?.Invoke();
        var received = await transport.ReceiveAsync(destination, cancellationToken).ConfigureAwait(false);
        Received += received;
        return received;
    }
}
