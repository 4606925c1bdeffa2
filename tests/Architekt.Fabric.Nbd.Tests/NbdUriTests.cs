using System.Net;
using System.Net.Sockets;

namespace Architekt.Fabric.Nbd.Tests;

public sealed class NbdUriTests
{
    [Theory]
    [InlineData("nbd://example.com", "example.com", 10809, "")]
    [InlineData("nbd://example.com/", "example.com", 10809, "")]
    [InlineData("nbd://example.com/disk", "example.com", 10809, "disk")]
    [InlineData("nbd://example.com//disk", "example.com", 10809, "/disk")]
    [InlineData("NBD://example.com:1234/hello%20world", "example.com", 1234, "hello world")]
    public void Parse_HostName_GivesItsParts(string text, string host, int port, string export)
    {
        var uri = NbdUri.Parse(text);
        Assert.Equal(new DnsEndPoint(host, port), uri.EndPoint);
        Assert.Equal(export, uri.ExportName);
    }

    [Fact]
    public void Parse_Addresses_GiveIpEndPoints()
    {
        Assert.Equal(new IPEndPoint(IPAddress.Parse("10.1.2.3"), 5), NbdUri.Parse("nbd://10.1.2.3:5/x").EndPoint);
        Assert.Equal(new IPEndPoint(IPAddress.IPv6Loopback, 10809), NbdUri.Parse("nbd://[::1]/x").EndPoint);
        Assert.Equal(new IPEndPoint(IPAddress.IPv6Loopback, 7), NbdUri.Parse("nbd://[::1]:7").EndPoint);
    }

    [Fact]
    public void Parse_UnixSocket_GivesPathAndExport()
    {
        var uri = NbdUri.Parse("nbd+unix:///a%2Fb?socket=/run/my%20sock");
        Assert.Equal("/run/my sock", uri.EndPoint.ToString());
        Assert.Equal("a/b", uri.ExportName);
        Assert.Equal("s", NbdUri.Parse("nbd+unix://?socket=s").EndPoint.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("http://example.com/")]
    [InlineData("nbds://example.com/")]
    [InlineData("nbd://")]
    [InlineData("nbd:///disk")]
    [InlineData("nbd://host:0/disk")]
    [InlineData("nbd://host:65536/disk")]
    [InlineData("nbd://host:+1/disk")]
    [InlineData("nbd://user@host/disk")]
    [InlineData("nbd://ho st/disk")]
    [InlineData("nbd://host/disk?tls-type=psk")]
    [InlineData("nbd://host/disk#part")]
    [InlineData("nbd+unix:///disk")]
    [InlineData("nbd+unix:///disk?socket=")]
    [InlineData("nbd+unix:///disk?socket=a&other=b")]
    [InlineData("nbd+unix:///disk?socket=a&socket=b")]
    [InlineData("nbd+unix://host/disk?socket=a")]
    public void Parse_NoAddress_SaysWhy(string text)
    {
        Assert.False(NbdUri.TryParse(text, out _));
        Assert.Contains(text, Assert.Throws<FormatException>(() => NbdUri.Parse(text)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ToString_Parsed_GivesTheSame()
    {
        NbdUri[] uris =
        [
            new(new DnsEndPoint("example.com", 10809), "a b/c?d#ä"), new(new IPEndPoint(IPAddress.IPv6Loopback, 1), ""), new(new IPEndPoint(IPAddress.Loopback, 1), "/x"),
            new(new UnixDomainSocketEndPoint("/run/x y&z?#%"), "n&m"), new(new UnixDomainSocketEndPoint("\0abstract"), ""),
        ];
        foreach (var uri in uris)
        {
            var parsed = NbdUri.Parse(uri.ToString());
            Assert.Equal(uri.EndPoint.ToString(), parsed.EndPoint.ToString());
            Assert.Equal(uri.ExportName, parsed.ExportName);
        }
    }
}
