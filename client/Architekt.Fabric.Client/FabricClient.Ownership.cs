namespace Architekt.Fabric.Client;

public partial class FabricClient
{
    /// <summary>Who owns a VM; fails with <see cref="FabricErrorCode.NotFound"/> if there is none of that name.</summary>
    public virtual async Task<VmOwner> GetVmOwnerAsync(string name, CancellationToken cancellationToken = default)
    {
        FabricNames.Require(name, "VM");
        return await Connection.CallCatalogAsync(catalog => catalog.FindOwnerAsync(name, cancellationToken), cancellationToken).ConfigureAwait(false)
            ?? throw FabricException.NotFound($"There is no VM named '{name}'.");
    }

    /// <summary>
    /// The changes in the ownership of a VM, oldest first; the VM may be gone. Fails with <see cref="FabricErrorCode.NotFound"/> if there has never been one of that name.
    /// </summary>
    /// <param name="name">The VM.</param>
    /// <param name="limit">At most this many, the newest, 1 to 1000.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public virtual async Task<IReadOnlyList<OwnershipEntry>> ReadVmHistoryAsync(string name, int limit = 1000, CancellationToken cancellationToken = default)
    {
        FabricNames.Require(name, "VM");
        var entries = await Connection.CallCatalogAsync(catalog => catalog.ReadHistoryAsync(name, limit, cancellationToken), cancellationToken).ConfigureAwait(false);
        return entries.Count > 0 ? entries : throw FabricException.NotFound($"There has never been a VM named '{name}'.");
    }

    /// <summary>
    /// Asserts that a host is off and will not go on with the epochs it has. Nobody owns its VMs any more; those with a restart policy or with fail-over are started by another host.
    /// Fails with <see cref="FabricErrorCode.Conflict"/> while its silo is a member of the fabric. Repeating it is harmless.
    /// </summary>
    public virtual Task<HostDeath> DeclareHostDeadAsync(string host, CancellationToken cancellationToken = default)
    {
        FabricNames.Require(host, "host");
        return Connection.CallCatalogAsync(catalog => catalog.DeclareHostDeadAsync(host, cancellationToken), cancellationToken);
    }
}
