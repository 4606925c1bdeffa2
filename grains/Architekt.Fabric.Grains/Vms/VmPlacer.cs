namespace Architekt.Fabric.Grains;

/// <summary>Chooses where a new VM starts.</summary>
internal sealed class VmPlacer(IHostStore hosts, HostLocator locator, IGrainFactory grains)
{
    /// <summary>The host asked for, or the reachable one with the package and the most free memory.</summary>
    public async Task<string> ChooseAsync(VmSpec spec, CancellationToken cancellationToken)
    {
        if (spec.Host is not null)
        {
            await RequireOpenAsync(spec.Host, cancellationToken);
            return spec.Host;
        }

        var known = await hosts.ListAsync(cancellationToken);
        var byRoom = known.Where(host => locator.IsAlive(host.Name) && !host.IsCordoned && host.State != HostState.Dead)
            .OrderByDescending(host => host.MemoryBytes - host.MemoryUsedBytes);
        foreach (var host in byRoom)
        {
            if (await grains.GetGrain<IHostControl>(host.Name).FindPackageAsync(spec.Package, cancellationToken) is { } package)
            {
                // The roomiest host with the package has the last word: its refusal says how much is missing.
                return package.Host;
            }
        }

        throw FabricException.NotFound($"No reachable host that is open to VMs has a package '{spec.Package}': import it first with 'fabric package import', or uncordon one that has it.");
    }

    /// <summary>Throws unless the host is known, its silo is in the cluster, and it is not cordoned.</summary>
    public async Task RequireOpenAsync(string host, CancellationToken cancellationToken)
    {
        var known = await hosts.ListAsync(cancellationToken);
        var asked = known.FirstOrDefault(candidate => candidate.Name == host);
        if (asked is { State: HostState.Dead }) throw FabricException.Unavailable($"Host '{host}' was declared dead and is not ready again.");
        if (asked is { IsCordoned: true })
            throw FabricException.Conflict($"Host '{host}' is cordoned: it takes no new VMs and no migrations; choose another, or open it with 'fabric host uncordon {host}'.");
        if (await locator.LookUpSiloAsync(host, cancellationToken) is not null) return;
        if (asked is not null)
            throw FabricException.Unavailable($"Host '{host}' cannot be reached: its silo is not a member of the fabric now.");
        throw FabricException.NotFound($"There is no host '{host}'; known are: {string.Join(", ", known.Select(candidate => candidate.Name))}.");
    }
}
