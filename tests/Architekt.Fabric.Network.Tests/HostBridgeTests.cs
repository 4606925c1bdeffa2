using Architekt.Fabric.Network.Tests.Hosts;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Network.Tests;

public sealed class HostBridgeTests
{
    private const string Bridge = "akbr";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EnsureAsync_Twice_MakesOneBridgeThatIsUpWithoutSpanningTreeAndSnooping()
    {
        using var host = await NetworkNamespace.CreateAsync();
        var bridges = new HostBridge(host.Ip);

        await bridges.EnsureAsync(Bridge, cancellationToken: Token);
        var first = await host.IpAsync($"link show dev {Bridge}");
        await bridges.EnsureAsync(Bridge, cancellationToken: Token);

        Assert.Equal(first, await host.IpAsync($"link show dev {Bridge}"));
        Assert.Contains(",UP", first, StringComparison.Ordinal);
        Assert.Contains("alias architekt", first, StringComparison.Ordinal);
        var details = await host.IpAsync($"-d link show dev {Bridge}");
        Assert.Contains("stp_state 0", details, StringComparison.Ordinal);
        Assert.Contains("mcast_snooping 0", details, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EnsureAsync_FromManySidesAtOnce_AllSucceed()
    {
        using var host = await NetworkNamespace.CreateAsync();

        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => new HostBridge(host.Ip).EnsureAsync(Bridge, cancellationToken: Token)));

        Assert.Equal(BridgeRemoval.Deleted, await new HostBridge(host.Ip).DeleteAsync(Bridge, Token));
    }

    [Fact]
    public async Task EnsureAsync_Uplink_BecomesAPortAndBridgeKeepsItsAddressWhateverElseJoins()
    {
        using var host = await NetworkNamespace.CreateAsync();
        await host.IpAsync("link add up0 address 02:77:00:00:00:01 type veth peer name up1");
        await host.IpAsync("link add low0 address 02:00:00:00:00:01 type veth peer name low1");
        var bridges = new HostBridge(host.Ip);

        await bridges.EnsureAsync(Bridge, "up0", Token);
        await bridges.EnsureAsync(Bridge, "up0", Token);
        await bridges.EnsureAsync(Bridge, "low0", Token);

        Assert.Equal(Bridge, await host.MasterOfAsync("up0"));
        Assert.Contains("link/ether 02:77:00:00:00:01", await host.IpAsync($"link show dev {Bridge}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task EnsureAsync_UplinkMissing_SaysSoAndMakesNoBridge()
    {
        using var host = await NetworkNamespace.CreateAsync();

        var error = await Assert.ThrowsAsync<NetworkException>(() => new HostBridge(host.Ip).EnsureAsync(Bridge, "eth7", Token));

        Assert.Contains("'eth7'", error.Message, StringComparison.Ordinal);
        Assert.False(await host.HasInterfaceAsync(Bridge));
    }

    [Fact]
    public async Task EnsureAsync_UplinkHasAnAddress_IsRefusedAndStaysAsItWas()
    {
        using var host = await NetworkNamespace.CreateAsync();
        await host.IpAsync("link add up0 type veth peer name up1");
        await host.IpAsync("addr add 10.1.2.3/24 dev up0");

        var error = await Assert.ThrowsAsync<NetworkException>(() => new HostBridge(host.Ip).EnsureAsync(Bridge, "up0", Token));

        Assert.Contains("10.1.2.3/24", error.Message, StringComparison.Ordinal);
        Assert.Null(await host.MasterOfAsync("up0"));
    }

    [Fact]
    public async Task EnsureAsync_UplinkInAnotherBridge_IsRefused()
    {
        using var host = await NetworkNamespace.CreateAsync();
        await host.IpAsync("link add up0 type veth peer name up1");
        await new HostBridge(host.Ip).EnsureAsync("other", "up0", Token);

        await Assert.ThrowsAsync<NetworkException>(() => new HostBridge(host.Ip).EnsureAsync(Bridge, "up0", Token));

        Assert.Equal("other", await host.MasterOfAsync("up0"));
    }

    [Fact]
    public async Task EnsureAsync_NameOfSomethingElse_IsRefused()
    {
        using var host = await NetworkNamespace.CreateAsync();
        await host.IpAsync($"link add {Bridge} type veth peer name up1");

        var error = await Assert.ThrowsAsync<NetworkException>(() => new HostBridge(host.Ip).EnsureAsync(Bridge, cancellationToken: Token));

        Assert.Contains("kind 'veth'", error.Message, StringComparison.Ordinal);
        Assert.Equal(BridgeRemoval.NotOurs, await new HostBridge(host.Ip).DeleteAsync(Bridge, Token));
    }

    [Fact]
    public async Task DeleteAsync_Ours_IsGoneAndTheSecondTimeMissing()
    {
        using var host = await NetworkNamespace.CreateAsync();
        await new HostBridge(host.Ip).EnsureAsync(Bridge, cancellationToken: Token);

        // Another object: what counts is the mark on the bridge, which survives a restart.
        Assert.Equal(BridgeRemoval.Deleted, await new HostBridge(host.Ip).DeleteAsync(Bridge, Token));
        Assert.False(await host.HasInterfaceAsync(Bridge));
        Assert.Equal(BridgeRemoval.Missing, await new HostBridge(host.Ip).DeleteAsync(Bridge, Token));
    }

    [Fact]
    public async Task DeleteAsync_MadeByOthers_StaysAlsoAfterWeUsedIt()
    {
        using var host = await NetworkNamespace.CreateAsync();
        await host.IpAsync($"link add {Bridge} type bridge");
        await new HostBridge(host.Ip).EnsureAsync(Bridge, cancellationToken: Token);

        Assert.Equal(BridgeRemoval.NotOurs, await new HostBridge(host.Ip).DeleteAsync(Bridge, Token));
        Assert.True(await host.HasInterfaceAsync(Bridge));
    }

    [Fact]
    public async Task DeleteAsync_TapAttached_StaysUntilItIsGone()
    {
        using var host = await NetworkNamespace.CreateAsync();
        await new HostBridge(host.Ip).EnsureAsync(Bridge, cancellationToken: Token);
        using (var tap = host.Run(() => TapDevice.Open(TapName.For("vm", 1))))
        {
            tap.AttachToBridge(Bridge);
            Assert.Equal(BridgeRemoval.InUse, await new HostBridge(host.Ip).DeleteAsync(Bridge, Token));
        }

        Assert.Equal(BridgeRemoval.Deleted, await new HostBridge(host.Ip).DeleteAsync(Bridge, Token));
    }

    [Fact]
    public async Task EnsureAsync_IpNotInstalled_NamesThePackage()
    {
        var error = await Assert.ThrowsAsync<ToolMissingException>(() => new HostBridge(new NoIp()).EnsureAsync(Bridge, cancellationToken: Token));

        Assert.Contains("iproute2", error.Message, StringComparison.Ordinal);
    }
}
