using Orleans.Runtime.Placement;

namespace Architekt.Fabric.Grains;

/// <summary>Sends a new activation to the silo of its host. It is not asked when a directory cache is stale: see <see cref="PinnedGrain"/>.</summary>
internal sealed class HostPinnedDirector(HostLocator locator, TimeProvider time) : IPlacementDirector
{
    // A new member is asked what grains it has before it can have one; that takes milliseconds.
    private static readonly TimeSpan LongestIntroduction = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(20);

    public async Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var compatible = context.GetCompatibleSilos(target);
        var host = await locator.FindHostAsync(target.GrainIdentity, CancellationToken.None);
        if (host is null) return compatible.Contains(context.LocalSilo) ? context.LocalSilo : compatible[0];

        var silo = await locator.LookUpSiloAsync(host, CancellationToken.None);
        if (silo is not null && (compatible.Contains(silo) || await IsIntroducedAsync(silo, target, context))) return silo;
        throw FabricException.Unavailable(
            $"Host '{host}' cannot be reached: its silo is not a member of the fabric now. Its VMs may well be running; start its silo and try again.");
    }

    private async Task<bool> IsIntroducedAsync(SiloAddress silo, PlacementTarget target, IPlacementContext context)
    {
        var began = time.GetTimestamp();
        while (time.GetElapsedTime(began) < LongestIntroduction)
        {
            await Task.Delay(LookAgain, time);
            if (context.GetCompatibleSilos(target).Contains(silo)) return true;
        }

        return false;
    }
}
