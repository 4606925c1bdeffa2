using System.Net;
using StackExchange.Redis;

namespace Architekt.Fabric.Demo.Load;

/// <summary>Exactly one TCP connection to a Redis server, and a record of everything that ever happened to it.</summary>
internal sealed class RedisLink : IAsyncDisposable
{
    private const int ConnectTimeoutMs = 10_000;

    // Without these the library opens a second connection for messages to subscribers.
    private static readonly HashSet<string> _withoutSubscriptions = ["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"];

    private ConnectionMultiplexer? _connection;
    private int _socketsOpened;
    private int _failed;

    public int SocketsOpened => Volatile.Read(ref _socketsOpened);

    public int ConnectionsFailed => Volatile.Read(ref _failed);

    public IDatabase Database => _connection!.GetDatabase();

    public static async Task<RedisLink> ConnectAsync(EndPoint server, TimeSpan answerTimeout)
    {
        var link = new RedisLink();
        var options = new ConfigurationOptions
        {
            EndPoints = { server },
            CommandMap = CommandMap.Create(_withoutSubscriptions, available: false),
            Protocol = RedisProtocol.Resp2,
            AbortOnConnectFail = true,
            ConnectRetry = 0,
            ReconnectRetryPolicy = new NoReconnect(),
            BacklogPolicy = BacklogPolicy.FailFast,
            ConnectTimeout = ConnectTimeoutMs,
            AsyncTimeout = (int)answerTimeout.TotalMilliseconds,
            SyncTimeout = (int)answerTimeout.TotalMilliseconds,
            KeepAlive = 60,
            ConfigCheckSeconds = 3600,
            TieBreaker = "",
            ClientName = "architekt-demo",
            SetClientLibrary = false,
            BeforeSocketConnect = (_, _, _) => Interlocked.Increment(ref link._socketsOpened),
        };
        link._connection = await ConnectionMultiplexer.ConnectAsync(options).ConfigureAwait(false);
        link._connection.ConnectionFailed += (_, _) => Interlocked.Increment(ref link._failed);
        return link;
    }

    /// <summary>What the server calls this connection: its process, the connection's number and the addresses it sees.</summary>
    public async Task<string> IdentifyAsync()
    {
        var process = await InfoAsync("run_id").ConfigureAwait(false);
        var number = await Database.ExecuteAsync("CLIENT", "ID").ConfigureAwait(false);
        var client = (await Database.ExecuteAsync("CLIENT", "INFO").ConfigureAwait(false)).ToString();
        return $"server {process} connection {number} {string.Join(' ', client.Split(' ').Where(IsAddress))}";

        static bool IsAddress(string field) => field.StartsWith("addr=", StringComparison.Ordinal) || field.StartsWith("laddr=", StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is not null) await _connection.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<string> InfoAsync(string field)
    {
        var info = (await Database.ExecuteAsync("INFO", "server").ConfigureAwait(false)).ToString();
        var line = info.Split('\n').FirstOrDefault(l => l.StartsWith(field + ":", StringComparison.Ordinal));
        return line is null ? "?" : line[(field.Length + 1)..].Trim();
    }
}
