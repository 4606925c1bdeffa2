using System.Net;
using System.Net.Sockets;
using Architekt.Fabric.Peer.Migration;

namespace Architekt.Fabric.Peer.Tests.Support;

/// <summary>A TCP port that leads to another one until it is cut, as a network does in the middle.</summary>
internal sealed class CuttableLine : IAsyncDisposable
{
    private readonly long _cutAfter;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _cut = new();
    private readonly Task _carrying;

    /// <param name="target">The other one.</param>
    /// <param name="cutAfter">Bytes to there after which the next answer cuts it: by then a whole request has come.</param>
    public CuttableLine(int target, long cutAfter = long.MaxValue)
    {
        _cutAfter = cutAfter;
        _listener.Start();
        _carrying = CarryAsync(target);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public Task CutAsync() => _cut.CancelAsync();

    public async ValueTask DisposeAsync()
    {
        await _cut.CancelAsync();
        _listener.Stop();
        await _carrying;
        _cut.Dispose();
    }

    /// <summary>One connection: QEMU opens no other.</summary>
    private async Task CarryAsync(int target)
    {
        try
        {
            var near = await _listener.AcceptSocketAsync(_cut.Token);
            var far = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await far.ConnectAsync(new IPEndPoint(IPAddress.Loopback, target), _cut.Token);
            var carried = 0L;
            await SocketRelay.RunAsync(
                near, far, count => Interlocked.Add(ref carried, count), _cut.Token, _ => { if (Interlocked.Read(ref carried) >= _cutAfter) _cut.Cancel(); });
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Cut before anyone came.
        }
    }
}
