using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Architekt.Fabric.Integration.Tests;

/// <summary>A TCP port that leads to Postgres: how a test takes Postgres away from a running silo, makes it slow, or keeps it from answering.</summary>
internal sealed class PostgresForwarder : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<Socket> _open = [];
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private EndPoint _target;
    private TaskCompletionSource _passage = Passable();
    private bool _isCut;

    public PostgresForwarder(string connectionString)
    {
        _target = TargetOf(connectionString);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        ConnectionString = new NpgsqlConnectionStringBuilder(connectionString) { Host = "127.0.0.1", Port = ((IPEndPoint)_listener.LocalEndPoint!).Port }.ConnectionString;
        _ = AcceptAsync();
    }

    public string ConnectionString { get; }

    /// <summary>How much later what a silo says arrives, so that each statement takes that much longer.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>All connections are lost, and no more are made.</summary>
    public void Cut()
    {
        lock (_lock)
        {
            _isCut = true;
            foreach (var socket in _open) socket.Dispose();
            _open.Clear();
        }
    }

    /// <summary>As a network that drops everything: nothing is refused, nothing arrives. What was sent meanwhile arrives when it is mended.</summary>
    public void Silence()
    {
        lock (_lock) _passage = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public void Mend()
    {
        lock (_lock)
        {
            _isCut = false;
            Delay = TimeSpan.Zero;
            _passage.TrySetResult();
        }
    }

    /// <summary>Postgres is somewhere else now.</summary>
    public void LeadTo(string connectionString) => _target = TargetOf(connectionString);

    public void Dispose()
    {
        _listener.Dispose();
        Mend();
        Cut();
    }

    private static TaskCompletionSource Passable()
    {
        var passage = new TaskCompletionSource();
        passage.SetResult();
        return passage;
    }

    private static EndPoint TargetOf(string connectionString)
    {
        var target = new NpgsqlConnectionStringBuilder(connectionString);
        return target.Host!.StartsWith('/') ? new UnixDomainSocketEndPoint($"{target.Host}/.s.PGSQL.{target.Port}") : new DnsEndPoint(target.Host, target.Port);
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = CarryAsync(await _listener.AcceptAsync());
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // The end of the test.
        }
    }

    private async Task CarryAsync(Socket near)
    {
        var target = _target;
        var far = target is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        near.NoDelay = true;
        lock (_lock)
        {
            if (_isCut)
            {
                // At once and without a word, as from a host on which nothing listens (SO_LINGER of 0, socket(7)).
                near.LingerState = new LingerOption(true, 0);
                near.Dispose();
                far.Dispose();
                return;
            }

            _open.Add(near);
            _open.Add(far);
        }

        try
        {
            await far.ConnectAsync(target);
            await using var nearStream = new NetworkStream(near, ownsSocket: true);
            await using var farStream = new NetworkStream(far, ownsSocket: true);
            await Task.WhenAny(CopyAsync(nearStream, farStream, isStatement: true), CopyAsync(farStream, nearStream, isStatement: false));
        }
        catch (Exception error) when (error is SocketException or IOException or ObjectDisposedException)
        {
            // Cut in the middle, or Postgres refused.
        }
        finally
        {
            near.Dispose();
            far.Dispose();
            lock (_lock) _open.RemoveAll(socket => socket == near || socket == far);
        }
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to, bool isStatement)
    {
        var buffer = new byte[64 << 10];
        while (await from.ReadAsync(buffer) is > 0 and var length)
        {
            if (isStatement && Delay > TimeSpan.Zero) await Task.Delay(Delay);
            Task passage;
            lock (_lock) passage = _passage.Task;
            await passage;
            await to.WriteAsync(buffer.AsMemory(0, length));
        }
    }
}
