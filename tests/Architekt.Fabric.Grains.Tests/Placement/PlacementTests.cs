using Architekt.Fabric.Grains.Tests.Fakes;

namespace Architekt.Fabric.Grains.Tests.Placement;

public sealed class PlacementTests(SharedCluster shared)
{
    private readonly FabricCluster _cluster = shared.Cluster;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("host-a")]
    [InlineData("host-b")]
    [InlineData("host-c")]
    public async Task HostGrain_CalledFromEverySilo_IsOnItsHost(string host)
    {
        foreach (var (_, grains) in _cluster.Silos)
            Assert.Equal(host, Assert.Single(await grains.GetGrain<IHostGrain>(host).ListPackagesAsync(Token)).Host);
        Assert.Equal(host, _cluster.WhereIs(_cluster.Client.GetGrain<IHostGrain>(host)));
    }

    [Theory]
    [InlineData("host-a")]
    [InlineData("host-c")]
    public async Task PackageGrain_Called_IsOnTheHostOfItsKey(string host)
    {
        var package = _cluster.Client.GetGrain<IPackageGrain>(new PackageKey(host, Samples.PackageName).ToString());

        Assert.Equal(host, (await package.FindAsync(Token))!.Host);
        Assert.Equal(host, _cluster.WhereIs(package));
    }

    [Theory]
    [InlineData("host-a")]
    [InlineData("host-b")]
    [InlineData("host-c")]
    public async Task VmGrain_CalledFromEverySilo_IsOnItsOwner(string host)
    {
        var vm = _cluster.AddVm(host);

        foreach (var (_, grains) in _cluster.Silos) Assert.Equal(host, await grains.GetGrain<IVmGrain>(vm).WhereAsync(Token));
    }

    [Fact]
    public async Task MigrationGrain_Started_IsOnTheDestination()
    {
        var vm = _cluster.AddVm("host-a");
        var gate = _cluster.World.Hold(vm, "StartCopy");
        var operation = await _cluster.MigrateAsync(vm, "host-c");
        await gate.Entered;

        Assert.Equal("host-c", _cluster.WhereIs(_cluster.Migration(operation.Id)));

        gate.Open();
        await _cluster.ResultAsync(operation.Id);
    }

    [Fact]
    public async Task HostGrain_HostWithoutSilo_IsUnavailableAndNamed()
    {
        var error = await Assert.ThrowsAsync<FabricException>(() => _cluster.Client.GetGrain<IHostGrain>("host-x").ListPackagesAsync(Token));

        Assert.Equal((FabricErrorCode.Unavailable, true), (error.Code, error.IsTransient));
        Assert.Contains("'host-x'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VmGrain_OwnerWithoutSilo_IsUnavailableAndNamed()
    {
        var vm = _cluster.AddVm("host-x");

        var error = await Assert.ThrowsAsync<FabricException>(() => _cluster.Vm(vm).GetAsync(Token));

        Assert.Equal(FabricErrorCode.Unavailable, error.Code);
        Assert.Contains("'host-x'", error.Message, StringComparison.Ordinal);
        Assert.Equal(VmState.Unknown, (await _cluster.Catalog.FindVmAsync(vm, Token))!.State);
    }

    [Fact]
    public async Task PackageGrain_KeyWithoutHost_IsInvalid()
    {
        var error = await Assert.ThrowsAsync<FabricException>(() => _cluster.Client.GetGrain<IPackageGrain>("redis-guest").FindAsync(Token));

        Assert.Equal(FabricErrorCode.InvalidArgument, error.Code);
    }
}
