using System.Buffers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Architekt.Fabric.Nbd;

/// <summary>Transport over a connected stream socket.</summary>
internal sealed class SocketTransport : NbdTransport
{
    private const int MaxVectors = 64;
    private const int UnixBufferSize = 1 << 20;

    private readonly Socket _socket;
    private readonly MemoryHandle[] _pins = new MemoryHandle[MaxVectors];

    public SocketTransport(Socket socket)
    {
        _socket = socket;
        if (socket.AddressFamily == AddressFamily.Unix)
        {
            // Unix sockets do not grow their buffers by themselves; TCP does, and setting a size would end that.
            socket.SendBufferSize = UnixBufferSize;
            socket.ReceiveBufferSize = UnixBufferSize;
        }
        else
        {
            socket.NoDelay = true;
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 30);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 10);
        }
    }

    public override ValueTask<int> ReceiveAsync(Memory<byte> destination, CancellationToken cancellationToken) =>
        _socket.ReceiveAsync(destination, SocketFlags.None, cancellationToken);

    public override async ValueTask SendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        while (!data.IsEmpty)
            data = data[await _socket.SendAsync(data, SocketFlags.None, cancellationToken).ConfigureAwait(false)..];
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask SendAsync(OutboundItem[] items, int count)
    {
        var index = 0;
        long done = 0;
        while (index < count)
        {
            var sent = OperatingSystem.IsLinux() ? SendGathered(items, index, count, done) : 0;
            if (sent == 0)
            {
                // The socket is full: its own asynchronous send waits for room, and sends what is left of this piece.
                var item = items[index];
                var piece = done < item.HeaderLength
                    ? item.Header.AsMemory((int)done, item.HeaderLength - (int)done)
                    : item.Payload[(int)(done - item.HeaderLength)..];
                sent = await _socket.SendAsync(piece, SocketFlags.None).ConfigureAwait(false);
            }

            done += sent;
            while (index < count && done >= items[index].TotalLength)
                done -= items[index++].TotalLength;
        }
    }

    public override void Abort() => _socket.Dispose();

    /// <summary>Sends as much as goes without waiting; 0 when the socket is full.</summary>
    private unsafe long SendGathered(OutboundItem[] items, int index, int count, long skip)
    {
        var vectors = stackalloc LibC.IoVector[MaxVectors];
        var used = 0;
        var pinned = 0;
        try
        {
            for (; index < count && used <= MaxVectors - 2; index++, skip = 0)
            {
                var item = items[index];
                if (skip < item.HeaderLength)
                {
                    vectors[used].Base = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(item.Header)) + skip;
                    vectors[used++].Length = (nuint)(item.HeaderLength - skip);
                    skip = item.HeaderLength;
                }

                var payload = item.Payload[(int)(skip - item.HeaderLength)..];
                if (payload.IsEmpty)
                    continue;
                var pin = payload.Pin();
                _pins[pinned++] = pin;
                vectors[used].Base = pin.Pointer;
                vectors[used++].Length = (nuint)payload.Length;
            }

            var message = new LibC.MessageHeader { Vectors = vectors, VectorCount = (nuint)used };
            while (true)
            {
                var sent = LibC.SendMessage(_socket.SafeHandle, &message, LibC.MsgDontWait | LibC.MsgNoSignal);
                if (sent >= 0)
                    return sent;
                var error = Marshal.GetLastPInvokeError();
                if (error == LibC.TryAgain)
                    return 0;
                if (error != LibC.InterruptedSystemCall)
                    throw new IOException($"Sending on the NBD socket failed: {Marshal.GetPInvokeErrorMessage(error)}.");
            }
        }
        finally
        {
            for (var i = 0; i < pinned; i++)
            {
                _pins[i].Dispose();
                _pins[i] = default;
            }
        }
    }
}
