namespace Architekt.Fabric.Grains;

/// <summary>
/// The truth about VMs and who owns them. Every change is conditional on the epoch, and the event that tells of it is written in
/// the same transaction. Methods throw <see cref="FabricException"/> with <see cref="FabricErrorCode.Unavailable"/> when Postgres
/// cannot be reached, except where a result says so.
/// </summary>
public interface IVmStore
{
    /// <summary>One VM, or null.</summary>
    Task<VmRecord?> FindAsync(string vm, CancellationToken cancellationToken);

    /// <summary>All VMs, or those a host owns, by name.</summary>
    Task<IReadOnlyList<VmRecord>> ListAsync(string? host, CancellationToken cancellationToken);

    /// <summary>Records a new VM with its first owner. Throws <see cref="FabricErrorCode.AlreadyExists"/> if the name is taken.</summary>
    Task CreateAsync(VmRecord vm, CancellationToken cancellationToken);

    /// <summary>Changes what the VM is doing, if <paramref name="epoch"/> is still its epoch, and, to <see cref="VmState.Starting"/>, if no operation is under way on it. False if it is not so.</summary>
    /// <param name="vm">The VM.</param>
    /// <param name="epoch">The epoch the caller acts for.</param>
    /// <param name="state">What it does now.</param>
    /// <param name="reason">Why, or null.</param>
    /// <param name="message">The sentence for the event; null records no event.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<bool> SetStateAsync(string vm, long epoch, VmState state, string? reason, string? message, CancellationToken cancellationToken);

    /// <summary>Removes the VM if <paramref name="epoch"/> is still its epoch and no operation is under way on it. False if not.</summary>
    Task<bool> DeleteAsync(string vm, long epoch, CancellationToken cancellationToken);

    /// <summary>
    /// The commit of a migration: owner = destination, epoch = the one that was reserved, if the epoch is still n, the owner still the source and the
    /// reservation still the operation's. One statement on a warm connection. Never throws for a lost connection: that is
    /// <see cref="CommitOutcome.Unknown"/>.
    /// </summary>
    Task<CommitOutcome> CommitAsync(MigrationPlan plan, CancellationToken cancellationToken);

    /// <summary>
    /// Gives the reservation back, after which the commit can no longer succeed. Its answer is how an unknown commit becomes known.
    /// Also <see cref="WithdrawOutcome.Withdrawn"/> when it was given back before, and <see cref="WithdrawOutcome.TakenOver"/> when there is
    /// nothing to go back to.
    /// </summary>
    Task<WithdrawOutcome> WithdrawAsync(MigrationPlan plan, CancellationToken cancellationToken);

    /// <summary>Does what the commit will do, and undoes it, so that plans, connection and code are warm. Nothing has changed afterwards.</summary>
    Task<CommitOutcome> RehearseCommitAsync(MigrationPlan plan, CancellationToken cancellationToken);
}
