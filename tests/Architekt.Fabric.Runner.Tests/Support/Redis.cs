using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Architekt.Fabric.Runner.Tests.Support;

/// <summary>A Redis at a forwarded port, asked in RESP 2 (redis.io, protocol specification).</summary>
internal sealed class Redis(int port)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public Task UntilItAnswersAsync(FabricRun run) =>
        Deadline.UntilAsync(async () => await TryAskAsync(["PING"]) == "+PONG", () => $"Redis answers at port {port}; fabric run said '{run.Error}'");

    /// <summary>The first line of the answer, or the string it announces.</summary>
    public async Task<string> AskAsync(params string[] command) => await TryAskAsync(command) ?? throw new IOException($"Redis does not answer to '{command[0]}'.");

    private async Task<string?> TryAskAsync(string[] command)
    {
        using var limit = new CancellationTokenSource(_patience);
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port, limit.Token);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"*{command.Length}\r\n{string.Concat(command.Select(static word => $"${word.Length}\r\n{word}\r\n"))}"), limit.Token);
            using var reader = new StreamReader(client.GetStream());
            var line = await reader.ReadLineAsync(limit.Token);
            return line is { Length: > 0 } && line[0] == '$' && line != "$-1" ? await reader.ReadLineAsync(limit.Token) : line;
        }
        catch (Exception error) when (error is SocketException or IOException or OperationCanceledException)
        {
            return null;
        }
    }
}
