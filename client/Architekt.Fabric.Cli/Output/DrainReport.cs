namespace Architekt.Fabric.Cli.Output;

/// <summary>The one object <c>fabric host drain -o json</c> ends with (docs/cli.md). What is not known is null.</summary>
internal sealed record DrainReport(
    string Operation,
    string Host,
    OperationOutcome Outcome,
    FabricErrorCode? ErrorCode,
    string? Reason,
    double? TotalMs,
    double? EvictionMs,
    int Moved,
    int NotMoved,
    IReadOnlyList<DrainedVm> Vms)
{
    public static DrainReport Ended(DrainResult result) => new(
        result.Operation,
        result.Host,
        result.Outcome,
        result.ErrorCode,
        result.Reason,
        MigrationReport.Round(result.TotalMs),
        Round(result.EvictionMs),
        CountMoved(result.Vms),
        CountNotMoved(result.Vms),
        Rounded(result.Vms));

    /// <summary>For a drain that goes on unwatched.</summary>
    public static DrainReport Unfinished(string operation, string host, IReadOnlyList<DrainedVm> vms) => new(
        operation, host, OperationOutcome.Running, ErrorCode: null, Reason: null, TotalMs: null, EvictionMs: null, CountMoved(vms), CountNotMoved(vms), Rounded(vms));

    public static int CountMoved(IReadOnlyList<DrainedVm> vms) => vms.Count(vm => vm.State == DrainedVmState.Moved);

    public static int CountNotMoved(IReadOnlyList<DrainedVm> vms) => vms.Count(vm => vm.State is not (DrainedVmState.Moved or DrainedVmState.Left));

    private static IReadOnlyList<DrainedVm> Rounded(IReadOnlyList<DrainedVm> vms) => [.. vms.Select(vm => vm with { TotalMs = Round(vm.TotalMs), PauseMs = Round(vm.PauseMs) })];

    private static double? Round(double? milliseconds) => milliseconds is { } value ? MigrationReport.Round(value) : null;
}
