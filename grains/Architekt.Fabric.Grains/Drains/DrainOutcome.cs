namespace Architekt.Fabric.Grains;

/// <summary>How a drain has ended, from what became of its VMs.</summary>
internal static class DrainOutcome
{
    public static DrainResult Of(DrainPlan plan, DrainBoard board, bool isEmpty, double totalMs)
    {
        var vms = board.Vms;
        var left = vms.Where(vm => vm.State is not (DrainedVmState.Moved or DrainedVmState.Left)).ToList();
        var (outcome, code, reason) = left switch
        {
            [] => (OperationOutcome.Succeeded, (FabricErrorCode?)null, (string?)null),
            _ when board.IsCancelRequested => (OperationOutcome.Cancelled, FabricErrorCode.Cancelled, $"it was cancelled; {Names(left)} stayed on '{plan.Host}'"),
            _ when left.Any(vm => vm.State == DrainedVmState.Stayed) =>
                (OperationOutcome.Failed, FabricErrorCode.Timeout, $"its deadline passed; {Names(left)} stayed on '{plan.Host}'"),
            _ when left.All(vm => vm.State == DrainedVmState.NoRoom) =>
                (OperationOutcome.Failed, FabricErrorCode.NoCapacity, $"{Names(left)} did not fit on any open host"),
            _ => (OperationOutcome.Failed, FabricErrorCode.Failed, $"{Names(left)} could not be moved: {left.First(vm => vm.State != DrainedVmState.NoRoom).Reason}"),
        };
        return new DrainResult(plan.Operation, plan.Host, outcome, code, reason, totalMs, isEmpty ? totalMs : null, vms);
    }

    private static string Names(List<DrainedVm> vms) => vms.Count == 1 ? $"'{vms[0].Vm}'" : $"{vms.Count} VMs ({string.Join(", ", vms.Take(10).Select(vm => vm.Vm))}{(vms.Count > 10 ? ", …" : "")})";
}
