namespace Architekt.Fabric.Grains;

/// <summary>Knows which hosts have a package now.</summary>
internal sealed class PackageSources(IHostStore hosts, HostLocator locator, IGrainFactory grains)
{
    /// <summary>Asks all other hosts that are in the cluster; one that does not answer counts as one without the package.</summary>
    public async Task<IReadOnlyList<PackageInfo>> FindAsync(string reference, string except, CancellationToken cancellationToken)
    {
        var known = await hosts.ListAsync(cancellationToken);
        var answers = await Task.WhenAll(known.Where(host => host.Name != except && locator.IsAlive(host.Name)).Select(host => AskAsync(host.Name)));
        return [.. answers.OfType<PackageInfo>()];

        async Task<PackageInfo?> AskAsync(string host)
        {
            try
            {
                return await grains.GetGrain<IHostControl>(host).FindPackageAsync(reference, cancellationToken);
            }
            catch (Exception error) when (error is FabricException or OrleansException or TimeoutException)
            {
                return null;
            }
        }
    }
}
