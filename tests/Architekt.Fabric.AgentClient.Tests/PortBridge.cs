using System.Net.Sockets;

namespace Architekt.Fabric.Agents.Tests;

/// <summary>
/// What QEMU is between a host and an agent: a socket the host connects to and leaves again, while the guest's side stays.
/// What is sent waits until the other side is there.
/// </summary>
internal sealed class PortBridge : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("architekt-bridge-").FullName;
    private readonly CancellationTokenSource _end = new();
    private readonly Socket _guestListener;
    private readonly Socket _hostListener;
    private readonly Task _guestSide;
    private readonly Task _hostSide;
    private readonly Side _guest = new();
    private readonly Side _host = new();

    internal PortBridge()
    {
        _guestListener = Listen(GuestPath);
        _hostListener = Listen(HostPath);
        _guestSide = ServeAsync(_guestListener, _guest, _host);
        _hostSide = ServeAsync(_hostListener, _host, _guest);
    }

    internal string GuestPath => Path.Combine(_folder, "guest");

    internal string HostPath => Path.Combine(_folder, "host");

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _guestListener.Dispose();
        _hostListener.Dispose();
        await Task.WhenAll(_guestSide, _hostSide);
        _end.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static Socket Listen(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.Listen();
        return socket;
    }

    private async Task ServeAsync(Socket listener, Side side, Side other)
    {
        var buffer = new byte[4096];
        while (!_end.IsCancellationRequested)
        {
            try
            {
                using var socket = await listener.AcceptAsync(_end.Token);
                side.Enter(socket);
                int count;
                while ((count = await socket.ReceiveAsync(buffer, SocketFlags.None, _end.Token)) > 0)
                {
                    var target = await other.Connected.WaitAsync(_end.Token);
                    await target.SendAsync(buffer.AsMemory(0, count), SocketFlags.None, _end.Token);
                }
            }
            catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // One side left; the loop waits for its next connection, or ends with the bridge.
            }

            side.Leave();
        }
    }

    /// <summary>One side's connection, now or when there is one.</summary>
    private sealed class Side
    {
        private volatile TaskCompletionSource<Socket> _connected = NewSource();

        internal Task<Socket> Connected => _connected.Task;

        internal void Enter(Socket socket) => _connected.SetResult(socket);

        /// <summary>Harmless when there was no connection.</summary>
        internal void Leave()
        {
            if (_connected.Task.IsCompleted)
                _connected = NewSource();
        }

        private static TaskCompletionSource<Socket> NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
