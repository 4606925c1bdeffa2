using Microsoft.Extensions.Logging;

namespace Architekt.Fabric.Grains;

/// <summary>Knows which host a pinned grain belongs to, and which hosts have a silo in the cluster now.</summary>
internal sealed partial class HostLocator(
    IVmStore vms, IOperationStore operations, IClusterMembershipService membership, ILocalSiloDetails localSilo, ILogger<HostLocator> logger)
{
    /// <summary>The host beneath this silo.</summary>
    public string LocalHost => localSilo.Name;

    /// <summary>The host <paramref name="grain"/> belongs to; null if it belongs to none yet, so that any silo will do.</summary>
    public async Task<string?> FindHostAsync(GrainId grain, CancellationToken cancellationToken)
    {
        var key = grain.Key.ToString()!;
        switch (grain.Type.ToString())
        {
            case PinnedGrainTypes.Host:
                return key;
            case PinnedGrainTypes.Package:
                return PackageKey.Parse(key).Host;
            case PinnedGrainTypes.Vm:
                var vm = await vms.FindAsync(key, cancellationToken);

                // Nobody owns it, so anybody may answer for it.
                return vm is null or { Info.State: VmState.Lost } ? null : vm.Info.Host;
            case PinnedGrainTypes.Migration:
                var operation = await operations.FindAsync(key, cancellationToken);
                if (operation is null) return null;

                // A migration whose destination is gone is rolled back by its source.
                return operation.Destination is { } destination && await LookUpSiloAsync(destination, cancellationToken) is not null ? destination : operation.Source;
            case PinnedGrainTypes.Checkpoint:
                return (await operations.FindAsync(key, cancellationToken))?.Source;
            default:
                throw new InvalidOperationException($"Grain type '{grain.Type}' is not pinned to a host.");
        }
    }

    /// <summary>
    /// Address of a host's silo, or null if it is not an active member. Other than <see cref="FindSilo"/> it does not say so before it has asked the membership table again: what this
    /// silo knows of one that has just joined comes by gossip, and later.
    /// </summary>
    public async Task<SiloAddress?> LookUpSiloAsync(string host, CancellationToken cancellationToken)
    {
        if (FindSilo(host) is { } known) return known;
        try
        {
            await membership.Refresh(default, cancellationToken);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // Without the table, what is known here is all there is to know.
            LogNotRefreshed(error.Message);
        }

        return FindSilo(host);
    }

    /// <summary>Address of a host's silo, or null if it is not an active member as far as this silo has heard.</summary>
    public SiloAddress? FindSilo(string host)
    {
        SiloAddress? newest = null;
        foreach (var member in membership.CurrentSnapshot.Members.Values)
        {
            if (member.Name == host && member.Status == SiloStatus.Active && (newest is null || member.SiloAddress.Generation > newest.Generation))
                newest = member.SiloAddress;
        }

        return newest;
    }

    /// <summary>Whether the host's silo is an active member as far as this silo has heard.</summary>
    public bool IsAlive(string host) => FindSilo(host) is not null;

    [LoggerMessage(1501, LogLevel.Warning, "The membership table cannot be read now: {Reason}")]
    private partial void LogNotRefreshed(string reason);
}
