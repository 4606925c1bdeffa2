using System.Net.Sockets;

namespace Architekt.Fabric.Silo.Runtime;

/// <summary>Reads a VM's console log and types on its console.</summary>
internal static class ConsoleLog
{
    private const int LargestPiece = 64 << 10;
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestWrite = TimeSpan.FromSeconds(10);

    public static async Task<VmLog> ReadAsync(
        string path, long epoch, long offset, int waitMs, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!File.Exists(path)) throw FabricException.NotFound($"There is no console log for epoch {epoch} on this host.");
        await using var log = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var start = offset >= 0 ? offset : Math.Max(0, log.Length + offset);
        var deadline = time.GetUtcNow().AddMilliseconds(waitMs);
        while (log.Length <= start && time.GetUtcNow() < deadline) await Task.Delay(LookInterval, time, cancellationToken);

        start = Math.Min(start, log.Length);
        log.Position = start;
        var data = new byte[Math.Min(LargestPiece, Math.Max(0, log.Length - start))];
        var read = await log.ReadAtLeastAsync(data, data.Length, throwOnEndOfStream: false, cancellationToken);
        return new VmLog(data[..read], start + read, epoch);
    }

    /// <summary>Types, and returns when QEMU has taken all of it.</summary>
    /// <exception cref="FabricException">Nobody listens at the console, or the guest has not read it for too long.</exception>
    public static async Task WriteAsync(string socketPath, byte[] data, TimeProvider time, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using var tooLong = new CancellationTokenSource(LongestWrite, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, tooLong.Token);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), either.Token);
            for (var rest = data.AsMemory(); rest.Length > 0;) rest = rest[await socket.SendAsync(rest, either.Token)..];

            // QEMU takes only as much at a time as the guest's serial port has room for, and forgets the rest of a connection that is closed. To the end of one half it reads on,
            // and then closes (chardev/char-socket.c, tcp_chr_read).
            socket.Shutdown(SocketShutdown.Send);
            var printed = new byte[LargestPiece];
            while (await socket.ReceiveAsync(printed, either.Token) > 0)
            {
            }
        }
        catch (SocketException error)
        {
            throw FabricException.Unavailable($"The console cannot be written to now: {error.Message}", error);
        }
        catch (OperationCanceledException error) when (!cancellationToken.IsCancellationRequested)
        {
            throw FabricException.Unavailable($"The guest has not read its console for {LongestWrite.TotalSeconds:0} s; what was typed has reached it in part or not at all.", error);
        }
    }
}
