namespace Architekt.Fabric.Cli.Output;

/// <summary>The JSON form of an operation, with its result once it has one.</summary>
internal sealed record OperationDetail(
    string Id,
    string Kind,
    string Vm,
    string Source,
    string Destination,
    long Epoch,
    MigrationPhase Phase,
    OperationOutcome Outcome,
    string? Reason,
    DateTimeOffset StartedAt,
    DateTimeOffset? EndedAt,
    MigrationReport? Result)
{
    public static OperationDetail From(OperationInfo operation, MigrationResult? result) => new(
        operation.Id, operation.Kind, operation.Vm, operation.Source, operation.Destination, operation.Epoch, operation.Phase, operation.Outcome,
        operation.Reason, operation.StartedAt, operation.EndedAt, result is null ? null : MigrationReport.Ended(result));
}
