namespace Architekt.Fabric.Grains;

/// <summary>
/// A grain that belongs to one host. The placement director alone is not enough: a silo with a stale directory entry activates a grain
/// without asking it, so each activation checks where it is and moves itself on; callers do not notice.
/// </summary>
internal abstract class PinnedGrain(HostLocator locator) : Grain
{
    /// <summary>Who belongs where.</summary>
    protected HostLocator Locator => locator;

    /// <inheritdoc />
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var host = await locator.FindHostAsync(this.GetGrainId(), cancellationToken);
        if (host is null || host == locator.LocalHost) return;
        if (await locator.LookUpSiloAsync(host, cancellationToken) is null)
            throw FabricException.Unavailable($"Host '{host}' cannot be reached: its silo is not a member of the fabric now.");
        MigrateOnIdle();
    }
}
