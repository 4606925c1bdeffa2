using Architekt.Fabric.Runner.Machine;

namespace Architekt.Fabric.Runner.Tests.Machine;

public sealed class GuestNetworkArgumentsTests
{
    [Theory]
    [InlineData("", null, null)]
    [InlineData("console=ttyS0 quiet", null, null)]
    [InlineData("architekt.ip=10.0.0.5/24 quiet", "10.0.0.5/24", null)]
    [InlineData("quiet architekt.ip=10.0.0.5/24 architekt.gw=10.0.0.1", "10.0.0.5/24", "10.0.0.1")]
    [InlineData("architekt.ip=10.0.0.5/24 architekt.ip=10.0.0.6/24", "10.0.0.6/24", null)]
    [InlineData("architekt.ip= xarchitekt.ip=10.0.0.5/24", null, null)]
    public void Read_CommandLine_HasTheAddressOfTheGuest(string commandLine, string? address, string? gateway) =>
        Assert.Equal((address, gateway), GuestNetworkArguments.Read(commandLine));

    [Theory]
    [InlineData("", "architekt.ip=10.0.2.15/24 architekt.gw=10.0.2.2")]
    [InlineData("quiet", "quiet architekt.ip=10.0.2.15/24 architekt.gw=10.0.2.2")]
    public void AddDefault_CommandLine_IsReadBack(string commandLine, string expected)
    {
        Assert.Equal(expected, GuestNetworkArguments.AddDefault(commandLine));
        Assert.Equal(("10.0.2.15/24", "10.0.2.2"), GuestNetworkArguments.Read(expected));
    }
}
