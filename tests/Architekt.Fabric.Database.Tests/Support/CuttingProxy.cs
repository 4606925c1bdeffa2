using System.Net;
using System.Net.Sockets;

namespace Architekt.Fabric.Database.Tests;

/// <summary>A TCP relay that can lose what one side says and then cut the line, as a network does at the worst moment.</summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly EndPoint _target;
    private readonly CancellationTokenSource _end = new();
    private CancellationTokenSource _line = new();
    private readonly List<Task> _relays = [];
    private readonly Task _accepting;

    internal CuttingProxy(EndPoint target)
    {
        _target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    internal int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>From now on: what the client says is not passed on, and the line is cut instead.</summary>
    internal bool LosesRequests { get; set; }

    /// <summary>From now on: what the server says is not passed on, and the line is cut instead.</summary>
    internal bool LosesReplies { get; set; }

    /// <summary>Cuts every connection there is; new ones work. Returns when the sockets are closed.</summary>
    internal async Task CutAllAsync()
    {
        using var line = Interlocked.Exchange(ref _line, new CancellationTokenSource());
        await line.CancelAsync();
        await Task.WhenAll(_relays);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_relays);
        _line.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _relays.Add(RelayAsync(await _listener.AcceptSocketAsync(_end.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task RelayAsync(Socket client)
    {
        using (client)
        using (var server = new Socket(_target.AddressFamily, SocketType.Stream, _target is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified))
        using (var cut = CancellationTokenSource.CreateLinkedTokenSource(_end.Token, _line.Token))
        {
            try
            {
                await server.ConnectAsync(_target, cut.Token);
                await Task.WhenAny(CopyAsync(client, server, () => LosesRequests, cut.Token), CopyAsync(server, client, () => LosesReplies, cut.Token));
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // The line is gone either way.
            }

            await cut.CancelAsync();
        }
    }

    private static async Task CopyAsync(Socket from, Socket to, Func<bool> isLost, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            int count;
            while ((count = await from.ReceiveAsync(buffer, cancellationToken)) > 0 && !isLost())
                await to.SendAsync(buffer.AsMemory(0, count), cancellationToken);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The line is gone.
        }
    }
}
