using Architekt.Fabric.Grains.Tests.Fakes;
using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace Architekt.Fabric.Grains.Tests.Placement;

/// <summary>
/// A silo that remembers where a grain was activates it there again without asking the director. A grain with the same placement and no
/// guard shows that the tests really get there.
/// </summary>
public sealed class StaleDirectoryTests : IAsyncLifetime
{
    private FabricCluster _cluster = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _cluster = await FabricCluster.StartAsync(
        silos: 3, static silo => silo.AddPlacementDirector<UnguardedPlacement, UnguardedDirector>());

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Theory]
    [InlineData("host-b")]
    [InlineData("host-c")]
    public async Task Where_OwnerChangedBehindWarmCaches_IsTheNewOwnerFromEverywhereAndStays(string owner)
    {
        var vm = _cluster.AddVm("host-a");
        await WarmAsync();
        _cluster.World.Database.Do(tables =>
        {
            tables.Change(vm, info => info with { Host = owner, Epoch = 2 });
            return true;
        });
        await _cluster.Orleans.DeactivateAsync(_cluster.Vm(vm));
        await _cluster.Orleans.DeactivateAsync(_cluster.Client.GetGrain<IUnguardedGrain>(vm));

        // The silo of the third host first: it has nothing to do with the grain but remembers where it was.
        var unguarded = new List<string>();
        foreach (var (_, grains) in _cluster.Silos.Reverse()) unguarded.Add(await grains.GetGrain<IUnguardedGrain>(vm).WhereAsync());
        Assert.Contains("host-a", unguarded);

        for (var round = 0; round < 3; round++)
        {
            foreach (var (_, grains) in _cluster.Silos.Reverse())
                await Eventually.TrueAsync(async () => await grains.GetGrain<IVmGrain>(vm).WhereAsync(Token) == owner, $"the grain of '{vm}' is on '{owner}'");
            Assert.Equal(owner, await _cluster.Vm(vm).WhereAsync(Token));
            Assert.Equal(owner, _cluster.WhereIs(_cluster.Vm(vm)));
        }

        async Task WarmAsync()
        {
            foreach (var (_, grains) in _cluster.Silos)
            {
                Assert.Equal("host-a", await grains.GetGrain<IVmGrain>(vm).WhereAsync(Token));
                Assert.Equal("host-a", await grains.GetGrain<IUnguardedGrain>(vm).WhereAsync());
            }

            Assert.Equal("host-a", await _cluster.Vm(vm).WhereAsync(Token));
        }
    }
}

[Alias("architekt.test.unguarded")]
internal interface IUnguardedGrain : IGrainWithStringKey
{
    [Alias("where")]
    Task<string> WhereAsync();
}

[UnguardedPinned]
internal sealed class UnguardedGrain(HostLocator locator) : Grain, IUnguardedGrain
{
    public Task<string> WhereAsync() => Task.FromResult(locator.LocalHost);
}

[AttributeUsage(AttributeTargets.Class)]
internal sealed class UnguardedPinnedAttribute() : PlacementAttribute(new UnguardedPlacement());

[GenerateSerializer, Immutable]
[Alias("architekt.test.unguarded-placement")]
internal sealed class UnguardedPlacement : PlacementStrategy;

internal sealed class UnguardedDirector(HostLocator locator, IVmStore vms) : IPlacementDirector
{
    public async Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var vm = await vms.FindAsync(target.GrainIdentity.Key.ToString()!, CancellationToken.None);
        return locator.FindSilo(vm!.Info.Host)!;
    }
}
