using System.Net.Sockets;

namespace Architekt.Fabric.Silo.Runtime;

/// <summary>Reads a VM's console log and types on its console.</summary>
internal static class ConsoleLog
{
    private const int LargestPiece = 64 << 10;
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(50);

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

    public static async Task WriteAsync(string socketPath, byte[] data, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellationToken);
            await socket.SendAsync(data, cancellationToken);
        }
        catch (SocketException error)
        {
            throw FabricException.Unavailable($"The console cannot be written to now: {error.Message}", error);
        }
    }
}
