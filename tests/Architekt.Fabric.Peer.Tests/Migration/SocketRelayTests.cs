using System.Net.Sockets;
using Architekt.Fabric.Peer.Migration;
using Architekt.Fabric.Peer.Tests.Support;

namespace Architekt.Fabric.Peer.Tests.Migration;

public sealed class SocketRelayTests
{
    private const int ManyBytes = 3 << 20;

    [Fact]
    public async Task Run_BothWays_CarriesEveryByteAndCountsOneWay()
    {
        using var first = await SocketPair.CreateAsync();
        using var second = await SocketPair.CreateAsync();
        long carried = 0;
        var relaying = SocketRelay.RunAsync(first.Far, second.Near, count => Interlocked.Add(ref carried, count), TestContext.Current.CancellationToken);
        var there = RandomBytes(1);
        var back = RandomBytes(2);

        var receivedThere = ReceiveAsync(second.Far, there.Length);
        var receivedBack = ReceiveAsync(first.Near, back.Length);
        await Task.WhenAll(SendAsync(first.Near, there), SendAsync(second.Far, back));

        Assert.Equal(there, await receivedThere);
        Assert.Equal(back, await receivedBack);
        await Deadline.UntilAsync(() => Interlocked.Read(ref carried) == there.Length, "what was carried is counted");
        first.Near.Dispose();
        await relaying.WaitAsync(Deadline.After(10));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Run_OneEndCloses_ClosesTheOther(bool firstCloses)
    {
        using var first = await SocketPair.CreateAsync();
        using var second = await SocketPair.CreateAsync();
        var relaying = SocketRelay.RunAsync(first.Far, second.Near, static _ => { }, TestContext.Current.CancellationToken);
        var (closed, left) = firstCloses ? (first.Near, second.Far) : (second.Far, first.Near);

        closed.Dispose();
        await relaying.WaitAsync(Deadline.After(10));

        Assert.True(await IsClosedAsync(left));
    }

    [Fact]
    public async Task Run_Cancelled_ClosesBoth()
    {
        using var first = await SocketPair.CreateAsync();
        using var second = await SocketPair.CreateAsync();
        using var ending = new CancellationTokenSource();
        var relaying = SocketRelay.RunAsync(first.Far, second.Near, static _ => { }, ending.Token);

        await ending.CancelAsync();
        await relaying.WaitAsync(Deadline.After(10));

        Assert.True(await IsClosedAsync(first.Near));
        Assert.True(await IsClosedAsync(second.Far));
    }

    private static byte[] RandomBytes(int seed)
    {
        var bytes = new byte[ManyBytes];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0) bytes = bytes[await socket.SendAsync(bytes, Deadline.After(20))..];
    }

    private static async Task<byte[]> ReceiveAsync(Socket socket, int count)
    {
        var bytes = new byte[count];
        for (var length = 0; length < count;)
        {
            var read = await socket.ReceiveAsync(bytes.AsMemory(length), Deadline.After(20));
            Assert.NotEqual(0, read);
            length += read;
        }

        return bytes;
    }

    private static async Task<bool> IsClosedAsync(Socket socket)
    {
        try
        {
            return await socket.ReceiveAsync(new byte[1], Deadline.After(10)) == 0;
        }
        catch (SocketException)
        {
            return true;
        }
    }
}
