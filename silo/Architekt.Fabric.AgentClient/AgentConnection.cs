using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Architekt.AgentProtocol;

namespace Architekt.Fabric.Agents;

/// <summary>Lines over the socket of one of QEMU's character devices. What comes in is the guest's and is not trusted.</summary>
internal sealed class AgentConnection : IDisposable
{
    private readonly Socket _socket;
    private readonly LineBuffer _lines = new();
    private readonly byte[] _input = new byte[4096];
    private Memory<byte> _rest;

    private AgentConnection(Socket socket) => _socket = socket;

    internal static async Task<AgentConnection> OpenAsync(string socketPath, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(socketPath);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellationToken);
            return new AgentConnection(socket);
        }
        catch (Exception error)
        {
            socket.Dispose();
            if (error is not (SocketException or ArgumentOutOfRangeException))
                throw;
            throw new AgentException(
                AgentExceptionKind.Unreachable, $"Cannot connect to the guest's port at {socketPath}: {error.Message}. Does its QEMU run?", cause: error);
        }
    }

    internal async Task WriteAsync<T>(T message, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> bytes = (byte[])[.. JsonSerializer.SerializeToUtf8Bytes(message, type), (byte)'\n'];
        while (bytes.Length > 0)
            bytes = bytes[await _socket.SendAsync(bytes, SocketFlags.None, cancellationToken)..];
    }

    /// <summary>The next line that is JSON of this type; others are skipped.</summary>
    /// <returns>Null when the connection ended.</returns>
    internal async Task<T?> ReadAsync<T>(JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        while (true)
        {
            while (_rest.Length > 0)
            {
                if (TakeLine(type) is { } message)
                    return message;
            }

            int count;
            try
            {
                count = await _socket.ReceiveAsync(_input, SocketFlags.None, cancellationToken);
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                return null;
            }

            if (count == 0)
                return null;
            _rest = _input.AsMemory(0, count);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private T? TakeLine<T>(JsonTypeInfo<T> type)
        where T : class
    {
        ReadOnlySpan<byte> rest = _rest.Span;
        var result = _lines.Take(ref rest, out var line);
        _rest = _rest[^rest.Length..];
        if (result != LineResult.Line)
            return null;
        try
        {
            return JsonSerializer.Deserialize(line, type);
        }
        catch (JsonException)
        {
            // A guest may write anything to its port; the host must not stumble over it.
            return null;
        }
    }
}
