using System.Net.Sockets;

namespace Architekt.Fabric.Qemu;

/// <summary>Attaches to a machine's serial console.</summary>
public static class SerialConsole
{
    /// <summary>Ctrl-], telnet's escape character.</summary>
    public const byte EscapeKey = 0x1d;

    /// <summary>
    /// Copies both ways until the console closes, the escape byte is typed, or the call is cancelled. The end of <paramref name="input"/> ends only that
    /// direction. QEMU serves one client at a time: a second one connects and gets nothing until the first detaches.
    /// </summary>
    /// <param name="socketPath">The console's unix socket (<see cref="QemuMachine.ConsoleSocketPath"/>).</param>
    /// <param name="input">What is typed; a terminal should be in raw mode. A read that cannot be cancelled is left behind, its bytes are lost.</param>
    /// <param name="output">Gets what the guest prints, flushed after each piece.</param>
    /// <param name="escape">Detaches when it appears in the input, and is not passed on; null passes everything on.</param>
    /// <param name="cancellationToken">Detaches; the call then returns <see cref="ConsoleDetachReason.Cancelled"/>.</param>
    /// <exception cref="IOException">Nobody listens at the socket; the message says so.</exception>
    public static async Task<ConsoleDetachReason> AttachAsync(
        string socketPath, Stream input, Stream output, byte? escape, CancellationToken cancellationToken)
    {
        UnixSocketPath.Validate(socketPath);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException exception)
        {
            throw new IOException($"Cannot attach to the console at '{socketPath}': {exception.Message}; does the VM run?", exception);
        }
        catch (OperationCanceledException)
        {
            return ConsoleDetachReason.Cancelled;
        }
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var typing = TypeAsync(socket, input, escape, stop.Token);
        var printing = PrintAsync(socket, output, stop.Token);
        try
        {
            var first = await Task.WhenAny(typing, printing).ConfigureAwait(false);
            if (first == typing && await typing.ConfigureAwait(false) is { } reason) return reason;
            await printing.ConfigureAwait(false);
            return ConsoleDetachReason.ConsoleClosed;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ConsoleDetachReason.Cancelled;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
        }
    }

    /// <returns>Why to detach, or null when the input has ended.</returns>
    private static async Task<ConsoleDetachReason?> TypeAsync(Socket socket, Stream input, byte? escape, CancellationToken cancellationToken)
    {
        var buffer = new byte[4096];
        while (true)
        {
            var count = await input.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (count == 0) return null;
            var end = escape is { } key ? buffer.AsSpan(0, count).IndexOf(key) : -1;
            var rest = buffer.AsMemory(0, end < 0 ? count : end);
            try
            {
                while (rest.Length > 0) rest = rest[await socket.SendAsync(rest, SocketFlags.None, cancellationToken).ConfigureAwait(false)..];
            }
            catch (SocketException)
            {
                return ConsoleDetachReason.ConsoleClosed;
            }
            if (end >= 0) return ConsoleDetachReason.Escaped;
        }
    }

    private static async Task PrintAsync(Socket socket, Stream output, CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        while (true)
        {
            int count;
            try
            {
                count = await socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken).ConfigureAwait(false);
            }
            catch (SocketException)
            {
                return;
            }
            if (count == 0) return;
            await output.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
            await output.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
