using Architekt.Fabric.Cli.Parsing;

namespace Architekt.Fabric.Cli.Output;

/// <summary>What is said about a migration to people.</summary>
internal static class MigrationText
{
    public static IEnumerable<string> Success(MigrationResult result)
    {
        var transfer = result.Transfer;
        yield return $"VM '{result.Vm}' moved from {result.From} to {result.To}, epoch {result.Epoch}.";
        var pause = result.PauseMs is { } ms ? $"pause {Duration.Format(ms)}, " : "";
        var known = result.Base switch
        {
            MemoryBase.Package => $", {ByteSize.Format(transfer.BaseBytes)} of memory as in the package",
            MemoryBase.LastVisit => $", {ByteSize.Format(transfer.BaseBytes)} of memory as on its last visit",
            _ => "",
        };
        var verified = result.Verified is true ? ", memory verified" : "";
        yield return $"{pause}total {Duration.Format(result.TotalMs)}, {Rounds(transfer.Rounds)}, {ByteSize.Format(transfer.BytesOnWire)} sent " +
            $"(memory {ByteSize.Format(transfer.MemoryBytes)}, disk {ByteSize.Format(transfer.DiskBytes)}, state {ByteSize.Format(transfer.StateBytes)}){known}{verified}";
    }

    public static string Failure(MigrationResult result)
    {
        var what = $"The migration of VM '{result.Vm}' from {result.From} to {result.To}";
        var phase = result.FailedPhase is { } failed ? $" in phase '{Words.Of(failed)}'" : "";
        var reason = result.Reason is { Length: > 0 } text ? $": {text}" : ".";
        return result.Outcome == OperationOutcome.Cancelled ? $"{what} was cancelled{phase}{reason}" : $"{what} failed{phase}{reason}";
    }

    public static string Whereabouts(MigrationResult result, VmInfo? vm) => vm switch
    {
        null => $"The VM belongs to {result.RunsOn}, epoch {result.Epoch}; whether it runs there cannot be seen now.",
        { State: VmState.Running or VmState.Booting } => $"The VM runs on {vm.Host}, epoch {vm.Epoch}.",
        _ => $"The VM is {Words.Of(vm.State)} on {vm.Host}, epoch {vm.Epoch}{(vm.Reason is null ? "." : $": {vm.Reason}")}",
    };

    public static string NextStep(MigrationResult result)
    {
        var again = $"fabric vm migrate {result.Vm} --to {result.To}";
        return result.ErrorCode switch
        {
            FabricErrorCode.Timeout => $"Give it more: {again} --timeout 30m --pause-budget 50ms",
            FabricErrorCode.Unsupported or FabricErrorCode.NoCapacity or FabricErrorCode.NotFound or FabricErrorCode.Unavailable
                => $"Look at the hosts: fabric host list; then try again: {again}",
            FabricErrorCode.Refused or FabricErrorCode.Conflict => $"Look at the VM: fabric vm show {result.Vm}; then try again: {again}",
            _ when result.Outcome == OperationOutcome.Cancelled => $"Start it again: {again}",
            _ => $"See what happened: fabric vm events {result.Vm}; then try again: {again}",
        };
    }

    /// <summary>One line about where a migration is.</summary>
    public static string Progress(MigrationProgress report)
    {
        var line = $"{Words.Of(report.Phase),-8} {Duration.Format(report.ElapsedMs),9}  ";
        line += report is { Phase: MigrationPhase.Prepare, PackageBytes: > 0 }
            ? $"package {ByteSize.Format(report.PulledBytes)} of {ByteSize.Format(report.PackageBytes)} pulled"
            : $"round {report.Transfer.Rounds}  {ByteSize.Format(report.Transfer.BytesOnWire)} sent";
        if (report.BytesPerSecond > 0) line += $"  {ByteSize.Format(report.BytesPerSecond)}/s";
        if (report.DirtyBytesPerSecond > 0) line += $"  guest writes {ByteSize.Format(report.DirtyBytesPerSecond)}/s";
        if (report.RemainingBytes > 0) line += $"  {ByteSize.Format(report.RemainingBytes)} to go";
        return report.Message is { Length: > 0 } message ? $"{line}  {Printable.Of(message)}" : line;
    }

    private static string Rounds(int rounds) => rounds == 1 ? "1 round" : $"{rounds} rounds";
}
