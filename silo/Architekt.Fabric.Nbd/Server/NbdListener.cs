using System.Net;
using System.Net.Sockets;

namespace Architekt.Fabric.Nbd;

/// <summary>One listening socket of a server.</summary>
internal sealed class NbdListener : IAsyncDisposable
{
    private const int Backlog = 128;
    private static readonly TimeSpan _pauseAfterFailure = TimeSpan.FromMilliseconds(100);

    private readonly NbdServer _server;
    private readonly Socket _socket;
    private readonly string? _path;
    private readonly CancellationTokenSource _stopping = new();
    private Task _accepting = Task.CompletedTask;

    public NbdListener(NbdServer server, EndPoint endPoint)
    {
        _server = server;
        _path = endPoint is UnixDomainSocketEndPoint && endPoint.ToString() is [not '@', ..] path ? path : null;
        _socket = Bind(endPoint);
        EndPoint = _socket.LocalEndPoint ?? endPoint;
    }

    public EndPoint EndPoint { get; }

    public void Start() => _accepting = AcceptAsync();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        _socket.Dispose();
        await _accepting.ConfigureAwait(false);
        if (_path is not null)
            File.Delete(_path);
        _stopping.Dispose();
    }

    private Socket Bind(EndPoint endPoint)
    {
        try
        {
            return Open(endPoint);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse && _path is not null && IsAbandoned(endPoint))
        {
            File.Delete(_path);
            return Open(endPoint);
        }
        catch (SocketException exception)
        {
            throw new IOException($"The NBD server cannot listen on {endPoint}: {exception.Message}.", exception);
        }
    }

    private static Socket Open(EndPoint endPoint)
    {
        var isUnix = endPoint.AddressFamily == AddressFamily.Unix;
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, isUnix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        try
        {
            socket.Bind(endPoint);
            socket.Listen(Backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A socket file whose owner died refuses connections.</summary>
    private static bool IsAbandoned(EndPoint endPoint)
    {
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(endPoint);
            return false;
        }
        catch (SocketException exception)
        {
            return exception.SocketErrorCode == SocketError.ConnectionRefused;
        }
    }

    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var socket = await _socket.AcceptAsync(_stopping.Token).ConfigureAwait(false);
                _ = Task.Run(() => _server.ServeAsync(socket));
            }
            catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException || _stopping.IsCancellationRequested)
            {
                return;
            }
            catch (SocketException exception)
            {
                // Out of descriptors, for example: connections in work must not suffer, and it may pass.
                ServerLog.AcceptFailed(_server.Options.Logger, EndPoint.ToString() ?? "", exception);
                await Task.Delay(_pauseAfterFailure, _server.Options.TimeProvider, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }
}
