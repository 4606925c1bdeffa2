namespace Architekt.Fabric;

/// <summary>How a drain ended. VMs that were moved stay where they are, and the host stays cordoned, whatever the outcome.</summary>
/// <param name="Operation">Its operation.</param>
/// <param name="Host">The host.</param>
/// <param name="Outcome">Succeeded when no VM is left on the host and all that were moved run; otherwise Failed or Cancelled.</param>
/// <param name="ErrorCode">Why, for programs; null after a success. <see cref="FabricErrorCode.NoCapacity"/>: all that is left does not fit anywhere.</param>
/// <param name="Reason">Why, for people; null after a success.</param>
/// <param name="TotalMs">From the request to the end, in ms.</param>
/// <param name="EvictionMs">From the request until the last VM had left, in ms; null while one is left.</param>
/// <param name="Vms">What became of each VM, by name.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.drain-result")]
public sealed record DrainResult(
    string Operation,
    string Host,
    OperationOutcome Outcome,
    FabricErrorCode? ErrorCode,
    string? Reason,
    double TotalMs,
    double? EvictionMs,
    IReadOnlyList<DrainedVm> Vms);
