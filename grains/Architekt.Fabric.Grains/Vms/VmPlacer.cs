namespace Architekt.Fabric.Grains;

/// <summary>Chooses where a new VM starts.</summary>
internal sealed class VmPlacer(IHostStore hosts, HostLocator locator, IGrainFactory grains)
{
    /// <summary>The host asked for, or the reachable one with the package and the most free memory.</summary>
    public async Task<string> ChooseAsync(VmSpec spec, CancellationToken cancellationToken)
    {
        if (spec.Host is not null)
        {
            await RequireReadyAsync(spec.Host, cancellationToken);
            return spec.Host;
        }

        var known = await hosts.ListAsync(cancellationToken);
        var byRoom = known.Where(host => locator.IsAlive(host.Name)).OrderByDescending(host => host.MemoryBytes - host.MemoryUsedBytes);
        foreach (var host in byRoom)
        {
            if (await grains.GetGrain<IHostControl>(host.Name).FindPackageAsync(spec.Package, cancellationToken) is { } package)
            {
                // The roomiest host with the package has the last word: its refusal says how much is missing.
                return package.Host;
            }
        }

        throw FabricException.NotFound($"No reachable host has a package '{spec.Package}': import it first with 'fabric package import'.");
    }

    /// <summary>Throws unless the host is known and its silo is in the cluster.</summary>
    public async Task RequireReadyAsync(string host, CancellationToken cancellationToken)
    {
        if (await locator.LookUpSiloAsync(host, cancellationToken) is not null) return;
        var known = await hosts.ListAsync(cancellationToken);
        if (known.Any(candidate => candidate.Name == host))
            throw FabricException.Unavailable($"Host '{host}' cannot be reached: its silo is not a member of the fabric now.");
        throw FabricException.NotFound($"There is no host '{host}'; known are: {string.Join(", ", known.Select(candidate => candidate.Name))}.");
    }
}
