using System.Net.Sockets;

namespace Architekt.Fabric.Peer.Migration;

/// <summary>Carries bytes between two sockets, both ways, until either side ends.</summary>
internal static class SocketRelay
{
    private const int BufferBytes = 256 << 10;

    /// <param name="first">Closed at the end.</param>
    /// <param name="second">Closed at the end.</param>
    /// <param name="carried">Told how many bytes went from first to second.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task RunAsync(Socket first, Socket second, Action<int> carried, CancellationToken cancellationToken)
    {
        using (first)
        using (second)
        {
            var there = PumpAsync(first, second, carried, cancellationToken);
            var back = PumpAsync(second, first, static _ => { }, cancellationToken);
            await Task.WhenAny(there, back);
        }
    }

    private static async Task PumpAsync(Socket from, Socket to, Action<int> carried, CancellationToken cancellationToken)
    {
        var buffer = GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);
        try
        {
            while (await from.ReceiveAsync(buffer, cancellationToken) is var count and > 0)
            {
                for (var sent = 0; sent < count;) sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), cancellationToken);
                carried(count);
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Either end may go at any time; NBD on top of it notices.
        }
    }
}
