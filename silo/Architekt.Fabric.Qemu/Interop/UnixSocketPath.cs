using System.Net.Sockets;
using System.Text;

namespace Architekt.Fabric.Qemu;

internal static class UnixSocketPath
{
    public static void Validate(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var bytes = Encoding.UTF8.GetByteCount(path);
        if (bytes > QmpClient.MaximumSocketPathBytes)
            throw new ArgumentException(
                $"The socket path '{path}' has {bytes} bytes, but a unix socket's path has at most {QmpClient.MaximumSocketPathBytes}; use a shorter folder",
                nameof(path));
    }

    /// <summary>Tries until the socket exists and somebody listens on it.</summary>
    public static async Task<Socket> ConnectWhenReadyAsync(
        string path, TimeSpan interval, TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        while (true)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken).ConfigureAwait(false);
                return socket;
            }
            catch (SocketException exception) when (IsNotReady(exception))
            {
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }
            await Task.Delay(interval, timeProvider, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>ENOENT: not bound yet. ECONNREFUSED: bound, not listening yet. EAGAIN: its backlog is full.</summary>
    private static bool IsNotReady(SocketException exception) => exception.NativeErrorCode is 2 or 111 or 11
        || exception.SocketErrorCode is SocketError.ConnectionRefused or SocketError.AddressNotAvailable;
}
