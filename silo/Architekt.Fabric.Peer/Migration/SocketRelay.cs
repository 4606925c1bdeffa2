using System.Net.Sockets;

namespace Architekt.Fabric.Peer.Migration;

/// <summary>Carries bytes between two sockets, both ways, until either side ends.</summary>
internal static class SocketRelay
{
    private const int BufferBytes = 256 << 10;

    public delegate void BytesPassing(Span<byte> bytes);

    /// <param name="first">Closed at the end.</param>
    /// <param name="second">Closed at the end.</param>
    /// <param name="carried">Told how many bytes went from first to second.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="answering">Shown what goes from second to first before it does, and may change it.</param>
    public static async Task RunAsync(
        Socket first, Socket second, Action<int> carried, CancellationToken cancellationToken, BytesPassing? answering = null)
    {
        using (first)
        using (second)
        {
            var there = PumpAsync(first, second, passing: null, carried, cancellationToken);
            var back = PumpAsync(second, first, answering, static _ => { }, cancellationToken);
            await Task.WhenAny(there, back);
        }
    }

    private static async Task PumpAsync(Socket from, Socket to, BytesPassing? passing, Action<int> carried, CancellationToken cancellationToken)
    {
        var buffer = GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);
        try
        {
            while (await from.ReceiveAsync(buffer, cancellationToken) is var count and > 0)
            {
                passing?.Invoke(buffer.AsSpan(0, count));
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
