using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Architekt.Fabric.Integration.Tests;

/// <summary>A TCP port that leads to Postgres until it is cut: how a test takes Postgres away from running silos.</summary>
internal sealed class PostgresForwarder : IDisposable
{
    private readonly EndPoint _target;
    private readonly Lock _lock = new();
    private readonly List<Socket> _open = [];
    private Socket? _listener;

    public PostgresForwarder(string connectionString)
    {
        var target = new NpgsqlConnectionStringBuilder(connectionString);
        _target = target.Host!.StartsWith('/')
            ? new UnixDomainSocketEndPoint($"{target.Host}/.s.PGSQL.{target.Port}")
            : new DnsEndPoint(target.Host, target.Port);
        _listener = Listen(0);
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        ConnectionString = new NpgsqlConnectionStringBuilder(connectionString) { Host = "127.0.0.1", Port = Port }.ConnectionString;
        _ = AcceptAsync(_listener);
    }

    public int Port { get; }

    public string ConnectionString { get; }

    public void Cut()
    {
        lock (_lock)
        {
            _listener?.Dispose();
            _listener = null;
            foreach (var socket in _open) socket.Dispose();
            _open.Clear();
        }
    }

    public void Mend()
    {
        lock (_lock)
        {
            _listener = Listen(Port);
            _ = AcceptAsync(_listener);
        }
    }

    public void Dispose() => Cut();

    private static Socket Listen(int port)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen();
        return listener;
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true) _ = CarryAsync(await listener.AcceptAsync());
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Cut.
        }
    }

    private async Task CarryAsync(Socket near)
    {
        var far = _target is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        near.NoDelay = true;
        lock (_lock)
        {
            if (_listener is null)
            {
                near.Dispose();
                far.Dispose();
                return;
            }

            _open.Add(near);
            _open.Add(far);
        }

        try
        {
            await far.ConnectAsync(_target);
            await using var nearStream = new NetworkStream(near, ownsSocket: true);
            await using var farStream = new NetworkStream(far, ownsSocket: true);
            await Task.WhenAny(nearStream.CopyToAsync(farStream), farStream.CopyToAsync(nearStream));
        }
        catch (Exception error) when (error is SocketException or IOException or ObjectDisposedException)
        {
            // Cut in the middle, or Postgres refused.
        }
    }
}
