using System.Net;
using System.Net.Sockets;
using System.Text;
using Architekt.Fabric.Peer.Tests.Support;

namespace Architekt.Fabric.Peer.Tests.Migration;

/// <summary>Only who says the token gets through to the destination's disk.</summary>
public sealed class DiskReceiverTests : IDisposable
{
    /// <summary>The first bytes an NBD server sends (NBD protocol, "Newstyle negotiation").</summary>
    private const string Greeting = "NBDMAGIC";

    private readonly TestHost _host = new();

    [Theory]
    [InlineData("00000000000000000000000000000000\n")]
    [InlineData("\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n")]
    [InlineData("NBDMAGICIHAVEOPTNBDMAGICIHAVEOPTNBD")]
    public async Task Connect_WrongToken_IsClosedWithoutAByte(string token)
    {
        var (peer, offer) = await ReceiveAsync();
        await using var _ = peer;

        Assert.Equal("", await SayAsync(offer, token));
    }

    [Fact]
    public async Task Connect_TheTokenCutShort_IsClosedWithoutAByte()
    {
        var (peer, offer) = await ReceiveAsync();
        await using var _ = peer;

        Assert.Equal("", await SayAsync(offer, offer.DiskToken[..31], close: true));
    }

    [Fact]
    public async Task Connect_TheToken_ReachesQemusExport()
    {
        var (peer, offer) = await ReceiveAsync();
        await using var _ = peer;

        Assert.Equal(Greeting, await SayAsync(offer, offer.DiskToken + "\n"));
    }

    public void Dispose() => _host.Dispose();

    private static async Task<string> SayAsync(PeerOffer offer, string text, bool close = false)
    {
        var deadline = Deadline.After(20);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Parse(offer.Address), offer.DiskPort, deadline);
        await socket.SendAsync(Encoding.ASCII.GetBytes(text), deadline);
        if (close) socket.Shutdown(SocketShutdown.Send);
        var answer = new byte[Greeting.Length];
        try
        {
            var count = await socket.ReceiveAsync(answer, deadline);
            return Encoding.ASCII.GetString(answer, 0, count);
        }
        catch (SocketException)
        {
            return "";
        }
    }

    private async Task<(TestPeer Peer, PeerOffer Offer)> ReceiveAsync()
    {
        TestHost.RequireQemu();
        var peer = await TestPeer.CreateAsync(_host, 2, TestHost.RequireGuest());
        return (peer, await peer.Service.ReceiveAsync(new PeerIncoming("op", Verify: false, IsLive: true)));
    }
}
