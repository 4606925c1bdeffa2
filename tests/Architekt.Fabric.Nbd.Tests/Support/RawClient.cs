using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Architekt.Fabric.Nbd.Tests;

/// <summary>Speaks NBD byte by byte, right or wrong, as the test wants.</summary>
internal sealed class RawClient : IDisposable
{
    private static readonly TimeSpan _deadline = TimeSpan.FromSeconds(20);

    private readonly Socket _socket;

    public RawClient(EndPoint endPoint)
    {
        _socket = endPoint.AddressFamily == AddressFamily.Unix
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        _socket.Connect(endPoint);
        _socket.ReceiveTimeout = (int)_deadline.TotalMilliseconds;
        _socket.SendTimeout = (int)_deadline.TotalMilliseconds;
    }

    public void Dispose() => _socket.Dispose();

    public void Send(params ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[_socket.Send(bytes)..];
    }

    /// <summary>Sends until the server has closed; for input that the server may give up on at any byte.</summary>
    public void SendAsFarAsItGoes(ReadOnlySpan<byte> bytes)
    {
        try
        {
            Send(bytes);
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown or SocketError.NotConnected or SocketError.ConnectionAborted)
        {
        }
    }

    public byte[] Receive(int count)
    {
        var bytes = new byte[count];
        for (var done = 0; done < count;)
        {
            var received = _socket.Receive(bytes.AsSpan(done));
            Assert.True(received > 0, $"the server closed the connection {count - done} bytes early");
            done += received;
        }

        return bytes;
    }

    /// <summary>Reads to the end of the stream; fails when the server keeps it open.</summary>
    public byte[] ReceiveToEnd()
    {
        var all = new MemoryStream();
        var buffer = new byte[65536];
        while (true)
        {
            int received;
            try
            {
                received = _socket.Receive(buffer);
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionReset)
            {
                received = 0;
            }

            if (received == 0)
                return all.ToArray();
            all.Write(buffer, 0, received);
        }
    }

    public void Greet(uint clientFlags = 3)
    {
        Assert.Equal("NBDMAGICIHAVEOPT"u8.ToArray().Concat(new byte[] { 0, 3 }), Receive(18));
        Span<byte> flags = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(flags, clientFlags);
        Send(flags);
    }

    public void Option(uint option, params ReadOnlySpan<byte> data)
    {
        var message = new byte[16 + data.Length];
        "IHAVEOPT"u8.CopyTo(message);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(8), option);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(12), (uint)data.Length);
        data.CopyTo(message.AsSpan(16));
        Send(message);
    }

    public (uint Type, byte[] Data) OptionReply(uint option)
    {
        var header = Receive(20);
        Assert.Equal(0x3e889045565a9UL, BinaryPrimitives.ReadUInt64BigEndian(header));
        Assert.Equal(option, BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(8)));
        return (BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(12)), Receive((int)BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(16))));
    }

    /// <summary>All replies to an option up to its acknowledgement or error.</summary>
    public List<(uint Type, byte[] Data)> OptionReplies(uint option)
    {
        var replies = new List<(uint Type, byte[] Data)>();
        do
            replies.Add(OptionReply(option));
        while (replies[^1].Type != 1 && (replies[^1].Type & 0x80000000) == 0);
        return replies;
    }

    /// <summary>Data of NBD_OPT_GO and NBD_OPT_INFO.</summary>
    public static byte[] ExportRequest(string name, params ushort[] infos) =>
        [.. Big32((uint)Encoding.UTF8.GetByteCount(name)), .. Encoding.UTF8.GetBytes(name), .. Big16((ushort)infos.Length), .. infos.SelectMany(Big16)];

    /// <summary>Data of NBD_OPT_LIST_META_CONTEXT and NBD_OPT_SET_META_CONTEXT.</summary>
    public static byte[] ContextRequest(string name, params string[] queries) =>
    [
        .. Big32((uint)Encoding.UTF8.GetByteCount(name)), .. Encoding.UTF8.GetBytes(name), .. Big32((uint)queries.Length),
        .. queries.SelectMany(query => Big32((uint)query.Length).Concat(Encoding.UTF8.GetBytes(query))),
    ];

    /// <summary>Handshake up to the transmission phase.</summary>
    public void Open(string name, bool structured, bool context = false)
    {
        Greet();
        if (structured)
        {
            Option(8);
            Assert.Equal(1u, OptionReply(8).Type);
        }

        if (context)
        {
            Option(10, ContextRequest(name, "base:allocation"));
            Assert.Equal([4u, 1u], OptionReplies(10).Select(reply => reply.Type));
        }

        Option(7, ExportRequest(name));
        Assert.Equal(1u, OptionReplies(7)[^1].Type);
    }

    public void Request(ushort command, ulong cookie, ulong offset, uint length, ushort flags = 0, params ReadOnlySpan<byte> payload)
    {
        var message = new byte[28 + payload.Length];
        BinaryPrimitives.WriteUInt32BigEndian(message, 0x25609513);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(4), flags);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(6), command);
        BinaryPrimitives.WriteUInt64BigEndian(message.AsSpan(8), cookie);
        BinaryPrimitives.WriteUInt64BigEndian(message.AsSpan(16), offset);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(24), length);
        payload.CopyTo(message.AsSpan(28));
        Send(message);
    }

    /// <summary>One reply, simple or structured; <paramref name="simplePayload"/> says how many bytes follow a successful simple one.</summary>
    public RawReply Reply(int simplePayload = 0)
    {
        var start = Receive(16);
        var magic = BinaryPrimitives.ReadUInt32BigEndian(start);
        var cookie = BinaryPrimitives.ReadUInt64BigEndian(start.AsSpan(8));
        if (magic == 0x67446698)
        {
            var error = BinaryPrimitives.ReadUInt32BigEndian(start.AsSpan(4));
            return new RawReply(cookie, error, null, error == 0 ? Receive(simplePayload) : []);
        }

        Assert.Equal(0x668e33efu, magic);
        Assert.Equal(1, BinaryPrimitives.ReadUInt16BigEndian(start.AsSpan(4)));
        var type = BinaryPrimitives.ReadUInt16BigEndian(start.AsSpan(6));
        var data = Receive((int)BinaryPrimitives.ReadUInt32BigEndian(Receive(4)));
        return new RawReply(cookie, (type & 0x8000) != 0 ? BinaryPrimitives.ReadUInt32BigEndian(data) : 0, type, data);
    }

    public static byte[] Big16(ushort value) => [(byte)(value >> 8), (byte)value];

    public static byte[] Big32(uint value) => [.. Big16((ushort)(value >> 16)), .. Big16((ushort)value)];
}

/// <summary>A reply as it came; <see cref="ChunkType"/> is null for a simple one.</summary>
internal sealed record RawReply(ulong Cookie, uint Error, ushort? ChunkType, byte[] Data);
