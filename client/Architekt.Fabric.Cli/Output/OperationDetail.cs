using System.Text.Json.Serialization;

namespace Architekt.Fabric.Cli.Output;

/// <summary>The JSON form of an operation, with its result once it has one.</summary>
internal sealed record OperationDetail(
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
    DateTimeOffset? EndedAt,
    object? Result)
{
    /// <summary>The result of a migration; <see cref="Result"/> is what the command for the operation's kind prints itself.</summary>
    [JsonIgnore]
    public MigrationReport? Migration => Result as MigrationReport;

    [JsonIgnore]
    public CheckpointResult? Checkpoint => Result as CheckpointResult;

    [JsonIgnore]
    public DrainReport? Drain => Result as DrainReport;

    [JsonIgnore]
    public double? TotalMs => Migration?.TotalMs ?? Checkpoint?.TotalMs ?? Drain?.TotalMs;

    [JsonIgnore]
    public double? PauseMs => Migration?.PauseMs ?? Checkpoint?.PauseMs;

    public static OperationDetail From(OperationInfo operation, object? result = null) => new(
        operation.Id, operation.Kind, operation.Vm, operation.Source, operation.Destination, operation.Epoch, operation.Phase, operation.Outcome,
        operation.Reason, operation.StartedAt, operation.EndedAt, result);
}
