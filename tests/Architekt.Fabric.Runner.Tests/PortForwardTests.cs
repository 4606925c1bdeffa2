namespace Architekt.Fabric.Runner.Tests;

public sealed class PortForwardTests
{
    [Theory]
    [InlineData("8080:80", "tcp", "127.0.0.1", 8080, 80)]
    [InlineData("8080:80/tcp", "tcp", "127.0.0.1", 8080, 80)]
    [InlineData("0.0.0.0:5353:53/udp", "udp", "0.0.0.0", 5353, 53)]
    [InlineData("65535:65535", "tcp", "127.0.0.1", 65535, 65535)]
    public void TryParse_Forward_IsReadAndWrittenBack(string text, string protocol, string address, int host, int guest)
    {
        Assert.True(PortForward.TryParse(text, out var forward));
        Assert.Equal(new PortForward(protocol, address, host, guest), forward);
        Assert.True(PortForward.TryParse(forward.ToString(), out var again));
        Assert.Equal(forward, again);
    }

    [Theory]
    [InlineData("")]
    [InlineData("80")]
    [InlineData(":80")]
    [InlineData("80:")]
    [InlineData("0:80")]
    [InlineData("80:65536")]
    [InlineData("+80:80")]
    [InlineData(" 80:80")]
    [InlineData("80:80/sctp")]
    [InlineData("80:80/tcp/udp")]
    [InlineData("localhost:80:80")]
    [InlineData("10.5:80:80")]
    [InlineData("::1:80:80")]
    [InlineData("127.0.0.1:80:80:80")]
    [InlineData("80:80,hostfwd=tcp::22-:22")]
    public void TryParse_NoForward_IsRefused(string text) => Assert.False(PortForward.TryParse(text, out _));
}
