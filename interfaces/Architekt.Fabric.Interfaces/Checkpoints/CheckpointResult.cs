namespace Architekt.Fabric;

/// <summary>How a checkpoint ended.</summary>
/// <param name="Operation">Its operation.</param>
/// <param name="Vm">The VM.</param>
/// <param name="Host">The host it was on, which has the package.</param>
/// <param name="PackageName">The name that was asked for.</param>
/// <param name="Outcome">Succeeded, Failed or Cancelled.</param>
/// <param name="ErrorCode">Why, for programs; null after a success.</param>
/// <param name="Reason">Why, for people; null after a success.</param>
/// <param name="TotalMs">From the request to the end, in ms.</param>
/// <param name="PauseMs">How long the guest stood still, in ms; null if it was stopped or never paused.</param>
/// <param name="Package">What was made; null unless it succeeded.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.checkpoint-result")]
public sealed record CheckpointResult(
    string Operation,
    string Vm,
    string Host,
    string PackageName,
    OperationOutcome Outcome,
    FabricErrorCode? ErrorCode,
    string? Reason,
    double TotalMs,
    double? PauseMs,
    PackageInfo? Package);
