namespace Architekt.Fabric.Grains;

/// <summary>The record of operations. At most one runs per VM.</summary>
public interface IOperationStore
{
    /// <summary>
    /// Records a migration and reserves an epoch for it that was never given out before, in one transaction. With an id that is known already, returns what is recorded.
    /// Throws <see cref="FabricErrorCode.Conflict"/> naming the operation that is under way, and <see cref="FabricErrorCode.StaleEpoch"/>
    /// if the VM's epoch or owner is not the plan's.
    /// </summary>
    Task<OperationInfo> BeginAsync(MigrationPlan plan, CancellationToken cancellationToken);

    /// <summary>
    /// Records a checkpoint, which keeps every other operation off the VM until it has ended. With an id that is known already, returns what is recorded.
    /// Throws as <see cref="BeginAsync"/> does.
    /// </summary>
    Task<OperationInfo> BeginCheckpointAsync(CheckpointPlan plan, CancellationToken cancellationToken);

    /// <summary>The operation, or null.</summary>
    Task<OperationInfo?> FindAsync(string id, CancellationToken cancellationToken);

    /// <summary>What the migration was asked to do, or null if there is none of that id.</summary>
    Task<MigrationPlan?> FindPlanAsync(string id, CancellationToken cancellationToken);

    /// <summary>What the checkpoint was asked to do, or null if there is none of that id.</summary>
    Task<CheckpointPlan?> FindCheckpointPlanAsync(string id, CancellationToken cancellationToken);

    /// <summary>How the checkpoint ended, or null.</summary>
    Task<CheckpointResult?> FindCheckpointResultAsync(string id, CancellationToken cancellationToken);

    /// <summary>How the migration ended, or null.</summary>
    Task<MigrationResult?> FindResultAsync(string id, CancellationToken cancellationToken);

    /// <summary>Operations, newest first.</summary>
    Task<IReadOnlyList<OperationInfo>> ListAsync(string? vm, int limit, CancellationToken cancellationToken);

    /// <summary>Operations that have not ended, newest first.</summary>
    Task<IReadOnlyList<OperationInfo>> ListRunningAsync(string? vm, int limit, CancellationToken cancellationToken);

    /// <summary>Operations that have not ended and have <paramref name="host"/> as source or destination.</summary>
    Task<IReadOnlyList<OperationInfo>> ListUnfinishedAsync(string host, CancellationToken cancellationToken);

    /// <summary>Records that a phase is about to be acted on, with its event.</summary>
    Task SetPhaseAsync(string id, MigrationPhase phase, CancellationToken cancellationToken);

    /// <summary>Records the end, gives any reservation back, and writes the event. Does nothing if it has ended before.</summary>
    Task EndAsync(MigrationResult result, CancellationToken cancellationToken);

    /// <summary>Records the end of a checkpoint, with its event. Does nothing if it has ended before.</summary>
    Task EndCheckpointAsync(CheckpointResult result, CancellationToken cancellationToken);
}
