namespace Architekt.Fabric;

/// <summary>Questions about the whole fabric, and what is no more than a mark in Postgres, answered from there by whichever silo is asked. The key is always 0.</summary>
[Alias("architekt.catalog")]
public interface ICatalogGrain : IGrainWithIntegerKey
{
    /// <summary>All hosts the fabric has ever seen.</summary>
    [Alias("hosts")]
    Task<IReadOnlyList<HostInfo>> ListHostsAsync(CancellationToken cancellationToken = default);

    /// <summary>All VMs.</summary>
    [Alias("vms")]
    Task<IReadOnlyList<VmInfo>> ListVmsAsync(CancellationToken cancellationToken = default);

    /// <summary>One VM, or null.</summary>
    [Alias("vm")]
    Task<VmInfo?> FindVmAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Who owns a VM; null if there is no such VM.</summary>
    [Alias("owner")]
    Task<VmOwner?> FindOwnerAsync(string vm, CancellationToken cancellationToken = default);

    /// <summary>The changes in the ownership of a VM, oldest first; of all VMs that have had the name.</summary>
    /// <param name="vm">The VM; it may be gone.</param>
    /// <param name="limit">At most this many, the newest, 1 to 1000.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    [Alias("history")]
    Task<IReadOnlyList<OwnershipEntry>> ReadHistoryAsync(string vm, int limit, CancellationToken cancellationToken = default);

    /// <summary>
    /// An operator asserts that a host is off and will not go on with the epochs it has: nobody owns its VMs any more. Refused while its silo is a member of the cluster.
    /// </summary>
    [Alias("declare-dead")]
    Task<HostDeath> DeclareHostDeadAsync(string host, CancellationToken cancellationToken = default);

    /// <summary>Operations, newest first.</summary>
    /// <param name="vm">Only those of this VM; null for all.</param>
    /// <param name="limit">At most this many, 1 to 1000.</param>
    /// <param name="onlyRunning">Only those that have not ended.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    [Alias("operations")]
    Task<IReadOnlyList<OperationInfo>> ListOperationsAsync(string? vm, int limit, bool onlyRunning, CancellationToken cancellationToken = default);

    /// <summary>One operation, or null.</summary>
    [Alias("operation")]
    Task<OperationInfo?> FindOperationAsync(string id, CancellationToken cancellationToken = default);

    /// <summary>The recorded result of a migration that has ended, or null.</summary>
    [Alias("migration-result")]
    Task<MigrationResult?> FindMigrationResultAsync(string id, CancellationToken cancellationToken = default);

    /// <summary>The recorded result of a checkpoint that has ended, or null.</summary>
    [Alias("checkpoint-result")]
    Task<CheckpointResult?> FindCheckpointResultAsync(string id, CancellationToken cancellationToken = default);

    /// <summary>The recorded result of a drain that has ended, or null.</summary>
    [Alias("drain-result")]
    Task<DrainResult?> FindDrainResultAsync(string id, CancellationToken cancellationToken = default);

    /// <summary>Closes a host to new VMs and migrations, or opens it again. What runs there is not touched. Returns the host as it is then.</summary>
    /// <param name="host">The host; its silo need not be reachable.</param>
    /// <param name="isCordoned">Whether it is to be closed.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    [Alias("cordon")]
    Task<HostInfo> CordonAsync(string host, bool isCordoned, CancellationToken cancellationToken = default);

    /// <summary>Events after <paramref name="afterSequence"/>, oldest first; -1 means the newest <paramref name="limit"/>.</summary>
    [Alias("events")]
    Task<IReadOnlyList<FabricEvent>> ReadEventsAsync(long afterSequence, int limit, CancellationToken cancellationToken = default);
}
