using Architekt.Fabric.Cli.Parsing;

namespace Architekt.Fabric.Cli.Output;

/// <summary>What is said about a drain to people.</summary>
internal static class DrainText
{
    public static string Line(DrainedVm vm, double elapsedMs) => $"{Duration.Format(elapsedMs),9}  {vm.Vm}  {State(vm)}";

    public static IEnumerable<string> Summary(DrainResult result)
    {
        var moved = DrainReport.CountMoved(result.Vms);
        yield return result.EvictionMs is { } eviction
            ? $"Host {result.Host} is empty and cordoned: {Count(moved)} moved in {Duration.Format(eviction)}."
            : $"Host {result.Host} is cordoned: {Count(moved)} moved, {DrainReport.CountNotMoved(result.Vms)} not, in {Duration.Format(result.TotalMs)}.";
        foreach (var vm in result.Vms) yield return $"  {vm.Vm}  {State(vm)}";
    }

    public static string Failure(DrainResult result) =>
        $"The drain of host '{result.Host}' {(result.Outcome == OperationOutcome.Cancelled ? "was cancelled" : "failed")}: {result.Reason}";

    public static string NextStep(DrainResult result) => result.ErrorCode switch
    {
        FabricErrorCode.NoCapacity => $"Make room (fabric host list), then drain it again: fabric host drain {result.Host}; or open it: fabric host uncordon {result.Host}",
        _ => $"Drain it again: fabric host drain {result.Host}; or open it: fabric host uncordon {result.Host}",
    };

    private static string State(DrainedVm vm) => vm.State switch
    {
        DrainedVmState.Waiting => vm.Reason is { } reason ? $"waits: {Printable.Of(reason)}" : "waits",
        DrainedVmState.Moving => $"moves to {vm.Destination} (operation {vm.Operation})",
        DrainedVmState.Moved => $"moved to {vm.Destination} in {Duration.Format(vm.TotalMs ?? 0)}{(vm.PauseMs is { } pause ? $", pause {Duration.Format(pause)}" : "")}",
        DrainedVmState.Left => "left by itself",
        DrainedVmState.NoRoom => $"did not fit: {Printable.Of(vm.Reason ?? "")}",
        _ => $"{(vm.State == DrainedVmState.Failed ? "failed" : "stayed")}: {Printable.Of(vm.Reason ?? "")}",
    };

    private static string Count(int vms) => vms == 1 ? "1 VM" : $"{vms} VMs";
}
