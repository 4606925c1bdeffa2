namespace Architekt.Fabric.Grains;

/// <summary>
/// Changes of ownership other than by a migration, and what is known of all of them. Each is one statement with the epoch in its condition, so of two that try one
/// wins; and each writes its entry of the history. Methods throw <see cref="FabricException"/> with <see cref="FabricErrorCode.Unavailable"/> when Postgres cannot be reached.
/// </summary>
public interface IOwnershipStore
{
    /// <summary>Who owns a VM, or null.</summary>
    Task<VmOwner?> FindOwnerAsync(string vm, CancellationToken cancellationToken);

    /// <summary>The newest <paramref name="limit"/> changes, oldest first; of all VMs that have had the name.</summary>
    Task<IReadOnlyList<OwnershipEntry>> ReadHistoryAsync(string vm, int limit, CancellationToken cancellationToken);

    /// <summary>The host's VMs that ended through a fault, are to be started again and have no operation under way.</summary>
    Task<IReadOnlyList<FailedVm>> ListFailedAsync(string host, CancellationToken cancellationToken);

    /// <summary>Its owner is about to start a failed VM again: a new epoch, if it is as it was seen. Null if it is not.</summary>
    /// <param name="seen">What was seen.</param>
    /// <param name="restarts">How many restarts in a row it will be.</param>
    /// <param name="diskEpoch">The epoch its disk is filed under.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<VmRecord?> RestartAsync(FailedVm seen, int restarts, long diskEpoch, CancellationToken cancellationToken);

    /// <summary>
    /// Renews the leases of what <paramref name="host"/> runs: they end <paramref name="duration"/> after the database has seen this. Returns those that are its own; the others' have been lost.
    /// </summary>
    Task<IReadOnlyList<(string Vm, long Epoch)>> RenewLeasesAsync(
        string host, IReadOnlyList<(string Vm, long Epoch)> running, TimeSpan duration, CancellationToken cancellationToken);

    /// <summary>VMs a host other than <paramref name="host"/> may lose or has lost: those with a lease, and those without an owner that are to go on elsewhere.</summary>
    Task<IReadOnlyList<LeaseSighting>> ListForeignLeasesAsync(string host, CancellationToken cancellationToken);

    /// <summary>
    /// <paramref name="host"/> takes a VM over whose lease is still the one seen and ended <paramref name="margin"/> ago by the database's clock, or that nobody owns.
    /// Null if it is not so. The epoch that an operation has reserved is left out, so that what was prepared for it can never run.
    /// </summary>
    Task<VmRecord?> ClaimAsync(LeaseSighting seen, string host, TimeSpan margin, TimeSpan duration, CancellationToken cancellationToken);

    /// <summary>
    /// Nobody owns the VMs of <paramref name="host"/> any more, if it has not been heard of since <paramref name="lastSeen"/>. Repeating it returns what is still without an owner. Null if the
    /// host has been heard of: it is on.
    /// </summary>
    Task<IReadOnlyList<VmRecord>?> DeclareDeadAsync(string host, DateTimeOffset lastSeen, CancellationToken cancellationToken);

    /// <summary>A VM without an owner is not to go on anywhere: it is stopped when its host is back. False if it has one, or another epoch.</summary>
    Task<bool> StopLostAsync(string vm, long epoch, CancellationToken cancellationToken);

    /// <summary>Whether <paramref name="host"/> was declared dead and has not returned.</summary>
    Task<bool> IsDeadAsync(string host, CancellationToken cancellationToken);

    /// <summary>A host that was declared dead is back and runs nothing: what nobody has taken over is its own again, and it is ready.</summary>
    Task<IReadOnlyList<VmRecord>> ReturnAsync(string host, CancellationToken cancellationToken);
}
