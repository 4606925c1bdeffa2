using Orleans.Runtime.Placement;

namespace Architekt.Fabric.Grains;

/// <summary>Sends a new activation to the silo of its host. It is not asked when a directory cache is stale: see <see cref="PinnedGrain"/>.</summary>
internal sealed class HostPinnedDirector(HostLocator locator) : IPlacementDirector
{
    public async Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var compatible = context.GetCompatibleSilos(target);
        var host = await locator.FindHostAsync(target.GrainIdentity, CancellationToken.None);
        if (host is null) return compatible.Contains(context.LocalSilo) ? context.LocalSilo : compatible[0];

        var silo = locator.FindSilo(host);
        if (silo is not null && compatible.Contains(silo)) return silo;
        throw FabricException.Unavailable(
            $"Host '{host}' cannot be reached: its silo is not a member of the fabric now. Its VMs may well be running; start its silo and try again.");
    }
}
