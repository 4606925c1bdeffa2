namespace Architekt.Fabric.Client;

public partial class FabricClient
{
    /// <summary>All hosts the fabric has ever seen, by name.</summary>
    public virtual async Task<IReadOnlyList<HostInfo>> ListHostsAsync(CancellationToken cancellationToken = default)
    {
        var hosts = await Connection.CallCatalogAsync(catalog => catalog.ListHostsAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
        return [.. hosts.OrderBy(host => host.Name, StringComparer.Ordinal)];
    }
}
