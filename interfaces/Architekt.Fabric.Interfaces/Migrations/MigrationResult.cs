namespace Architekt.Fabric;

/// <summary>How a migration ended.</summary>
/// <param name="Operation">Its operation.</param>
/// <param name="Vm">The VM.</param>
/// <param name="From">The source.</param>
/// <param name="To">The destination that was asked for.</param>
/// <param name="RunsOn">The owner afterwards.</param>
/// <param name="Epoch">The epoch afterwards.</param>
/// <param name="Outcome">Succeeded, Failed or Cancelled.</param>
/// <param name="FailedPhase">The phase that failed; null after a success.</param>
/// <param name="ErrorCode">Why, for programs; null after a success.</param>
/// <param name="Reason">Why, for people; null after a success.</param>
/// <param name="TotalMs">From the request to the end, in ms.</param>
/// <param name="PauseMs">From the source's STOP to the destination's RESUME, in ms; null if it never got there.</param>
/// <param name="PhaseMs">Time in each phase, in ms.</param>
/// <param name="Pause">Where the pause went; null if it never got there.</param>
/// <param name="Transfer">What was moved.</param>
/// <param name="Verified">Whether both digests of the RAM agreed; null unless verification was asked for.</param>
/// <param name="Base">What the destination had of the RAM already: the package's, or what the VM left there on its last visit; null if nothing.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.migration-result")]
public sealed record MigrationResult(
    string Operation,
    string Vm,
    string From,
    string To,
    string RunsOn,
    long Epoch,
    OperationOutcome Outcome,
    MigrationPhase? FailedPhase,
    FabricErrorCode? ErrorCode,
    string? Reason,
    double TotalMs,
    double? PauseMs,
    IReadOnlyDictionary<MigrationPhase, double> PhaseMs,
    PauseBreakdown? Pause,
    TransferCounters Transfer,
    bool? Verified,
    MemoryBase? Base = null);
