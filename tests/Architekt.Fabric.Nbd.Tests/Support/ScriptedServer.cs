using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Architekt.Fabric.Nbd.Tests;

/// <summary>Plays the server of one connection byte by byte, right or wrong, as the test wants.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Task _script;

    public ScriptedServer(Func<NetworkStream, Task> script)
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        EndPoint = _listener.LocalEndPoint!;
        _script = RunAsync(script);
    }

    public EndPoint EndPoint { get; }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _script;
    }

    /// <summary>Handshake with simple or structured replies, up to the transmission phase, for an export of 1 MiB that offers everything but what <paramref name="without"/> says.</summary>
    public static async Task GreetAsync(NetworkStream stream, bool structured, NbdFeatures without = NbdFeatures.None)
    {
        const NbdFeatures All = (NbdFeatures)0b1101_1110_1101;
        await stream.WriteAsync((byte[])[.. "NBDMAGICIHAVEOPT"u8, 0, 3]);
        await ReceiveAsync(stream, 4);
        while (true)
        {
            var header = await ReceiveAsync(stream, 16);
            var option = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(8));
            await ReceiveAsync(stream, (int)BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(12)));
            switch (option)
            {
                case 8:
                    await ReplyAsync(stream, option, structured ? 1 : 0x80000001);
                    break;
                case 10:
                    await ReplyAsync(stream, option, 4, [0, 0, 0, 77, .. "base:allocation"u8]);
                    await ReplyAsync(stream, option, 1);
                    break;
                case 7:
                    await ReplyAsync(stream, option, 3, [0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, .. RawClient.Big16((ushort)(All & ~without))]);
                    await ReplyAsync(stream, option, 1);
                    return;
                default:
                    await ReplyAsync(stream, option, 0x80000001);
                    break;
            }
        }
    }

    public static Task ReplyAsync(NetworkStream stream, uint option, uint type, params byte[] data) =>
        stream.WriteAsync((byte[])[0, 3, 0xe8, 0x89, 4, 0x55, 0x65, 0xa9, .. RawClient.Big32(option), .. RawClient.Big32(type), .. RawClient.Big32((uint)data.Length), .. data]).AsTask();

    /// <summary>The next request; its cookie goes into the reply.</summary>
    public static async Task<(ushort Command, byte[] Cookie, uint Length)> RequestAsync(NetworkStream stream)
    {
        var header = await ReceiveAsync(stream, 28);
        return (BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(6)), header[8..16], BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(24)));
    }

    public static Task SimpleAsync(NetworkStream stream, byte[] cookie, uint error, params byte[] data) =>
        stream.WriteAsync((byte[])[0x67, 0x44, 0x66, 0x98, .. RawClient.Big32(error), .. cookie, .. data]).AsTask();

    public static Task ChunkAsync(NetworkStream stream, byte[] cookie, ushort type, bool done, params byte[] data) =>
        stream.WriteAsync((byte[])[0x66, 0x8e, 0x33, 0xef, 0, (byte)(done ? 1 : 0), .. RawClient.Big16(type), .. cookie, .. RawClient.Big32((uint)data.Length), .. data]).AsTask();

    /// <summary>Waits until the client has closed the connection.</summary>
    public static async Task UntilClosedAsync(NetworkStream stream)
    {
        try
        {
            var buffer = new byte[4096];
            while (await stream.ReadAsync(buffer) > 0)
            {
            }
        }
        catch (IOException)
        {
            // Closed with data underway.
        }
    }

    public static async Task<byte[]> ReceiveAsync(NetworkStream stream, int count)
    {
        var bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes);
        return bytes;
    }

    private async Task RunAsync(Func<NetworkStream, Task> script)
    {
        using var socket = await _listener.AcceptAsync();
        await using var stream = new NetworkStream(socket);
        await script(stream);
    }
}
