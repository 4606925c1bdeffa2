using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Architekt.AgentProtocol;

namespace Architekt.Fabric.Agents.Tests;

/// <summary>A socket that answers as a test says, however odd.</summary>
internal sealed class ScriptedGuest : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("architekt-guest-").FullName;
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    internal ScriptedGuest()
    {
        _listener.Bind(new UnixDomainSocketEndPoint(SocketPath));
        _listener.Listen();
    }

    internal string SocketPath => Path.Combine(_folder, "port");

    /// <summary>Takes one connection and says something; then answers requests as <paramref name="answer"/> says, null meaning: hang up.</summary>
    internal async Task ServeAsync(string greeting, Func<AgentRequest, string?> answer, CancellationToken cancellationToken)
    {
        using var socket = await _listener.AcceptAsync(cancellationToken);
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Encoding.UTF8.GetBytes(greeting), cancellationToken);
        using var reader = new StreamReader(stream);
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (answer(JsonSerializer.Deserialize(line, AgentJsonContext.Default.AgentRequest)!) is not { } reply)
                return;

            // Silence is not written: on a connection the client has left by now even that would fail.
            if (reply.Length > 0) await stream.WriteAsync(Encoding.UTF8.GetBytes(reply), cancellationToken);
        }
    }

    internal async Task SayAndHangUpAsync(string words, CancellationToken cancellationToken)
    {
        using var socket = await _listener.AcceptAsync(cancellationToken);
        await socket.SendAsync(Encoding.UTF8.GetBytes(words), SocketFlags.None, cancellationToken);
    }

    public void Dispose()
    {
        _listener.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
