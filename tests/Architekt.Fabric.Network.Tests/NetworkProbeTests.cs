using Architekt.Fabric.Network.Tests.Hosts;

namespace Architekt.Fabric.Network.Tests;

public sealed class NetworkProbeTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ProbeAsync_AllThere_IsReady()
    {
        using var host = await NetworkNamespace.CreateAsync();
        await new HostBridge(host.Ip).EnsureAsync("akbr", cancellationToken: Token);

        var readiness = await NetworkProbe.ProbeAsync("akbr", host.Ip, Token);

        Assert.Empty(readiness.Problems);
        Assert.Equal((true, true, true, true), (readiness.TunUsable, readiness.IpInstalled, readiness.BridgePresent, readiness.IsReady));
    }

    [Fact]
    public async Task ProbeAsync_NoBridge_SaysHowToMakeIt()
    {
        using var host = await NetworkNamespace.CreateAsync();

        var readiness = await NetworkProbe.ProbeAsync("akbr", host.Ip, Token);

        Assert.Equal((true, false, false), (readiness.IpInstalled, readiness.BridgePresent, readiness.IsReady));
        Assert.Contains("ip link add akbr type bridge", Assert.Single(readiness.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ProbeAsync_NoIp_NamesThePackage()
    {
        var readiness = await NetworkProbe.ProbeAsync("akbr", new NoIp(), Token);

        Assert.False(readiness.IpInstalled);
        Assert.Contains(readiness.Problems, problem => problem.Contains("iproute2", StringComparison.Ordinal));
    }
}
