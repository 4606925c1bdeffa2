using System.Net;
using System.Net.Sockets;
using Architekt.Init.Network;

namespace Architekt.Init.Tests.Network;

public sealed class ReadyCheckTests
{
    [Theory]
    [InlineData("tcp:6379", 0x7F000001u, 6379)]
    [InlineData("tcp:10.0.0.5:80", 0x0A000005u, 80)]
    public void Check_IsRead(string text, uint address, int port)
    {
        Assert.True(ReadyCheck.TryParse(text, out var check));
        Assert.Equal((address, port), (check.Address, (int)check.Port));
    }

    [Theory]
    [InlineData("")]
    [InlineData("6379")]
    [InlineData("tcp:0")]
    [InlineData("tcp:65536")]
    [InlineData("udp:53")]
    [InlineData("tcp:name:80")]
    [InlineData("tcp:1.2.3.4:5:6")]
    public void OtherText_IsNoCheck(string text) => Assert.False(ReadyCheck.TryParse(text, out _));

    [Fact]
    public void Port_AnswersOnceSomebodyListens()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        Assert.True(ReadyCheck.TryParse($"tcp:{port}", out var check));
        Assert.True(check.Answers());
        listener.Stop();
        Assert.False(check.Answers());
    }
}
