namespace Architekt.Fabric;

/// <summary>Something long that was asked for.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Kind">What it is: <c>migrate</c>, <c>checkpoint</c> or <c>drain</c>.</param>
/// <param name="Vm">The VM it is about; null for a drain.</param>
/// <param name="Source">The owner when it was asked for; of a drain, the host.</param>
/// <param name="Destination">The host it leads to; of a checkpoint, the VM's own; null for a drain.</param>
/// <param name="Epoch">The epoch the destination will have; of a checkpoint, the VM's own; 0 for a drain.</param>
/// <param name="Phase">The phase it is in; a drain is in <see cref="MigrationPhase.Copy"/> until it has ended.</param>
/// <param name="Outcome">How it ended; <see cref="OperationOutcome.Running"/> until then.</param>
/// <param name="Reason">Why it failed.</param>
/// <param name="StartedAt">When it was asked for.</param>
/// <param name="EndedAt">When it ended.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.operation-info")]
public sealed record OperationInfo(
    string Id,
    string Kind,
    string? Vm,
    string Source,
    string? Destination,
    long Epoch,
    MigrationPhase Phase,
    OperationOutcome Outcome,
    string? Reason,
    DateTimeOffset StartedAt,
    DateTimeOffset? EndedAt);
