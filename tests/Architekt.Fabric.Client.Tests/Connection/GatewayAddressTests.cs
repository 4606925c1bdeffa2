using Architekt.Fabric.Client.Connection;

namespace Architekt.Fabric.Client.Tests.Connection;

public sealed class GatewayAddressTests
{
    [Theory]
    [InlineData("host-a:30001", "host-a", 30001)]
    [InlineData("host-a", "host-a", 30000)]
    [InlineData(" 10.0.0.1:1 ", "10.0.0.1", 1)]
    [InlineData("[::1]:65535", "::1", 65535)]
    [InlineData("[::1]", "::1", 30000)]
    [InlineData("fe80::1", "fe80::1", 30000)]
    public void Parse_Gateway_IsUnderstood(string text, string host, int port) =>
        Assert.Equal(new GatewayAddress(host, port), GatewayAddress.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData(":30000")]
    [InlineData("host-a:")]
    [InlineData("host-a:0")]
    [InlineData("host-a:65536")]
    [InlineData("host-a:-1")]
    [InlineData("host-a:http")]
    [InlineData("host a:1")]
    [InlineData("http://host-a:1")]
    public void Parse_SomethingElse_IsRefused(string? text) =>
        Assert.Equal(FabricErrorCode.InvalidArgument, Assert.Throws<FabricException>(() => GatewayAddress.Parse(text)).Code);
}
