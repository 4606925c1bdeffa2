namespace Architekt.Fabric.Simulation;

/// <summary>What must be true once things are quiet.</summary>
internal static class Aftermath
{
    public static void Judge(World world)
    {
        JudgeOperations(world);
        JudgeTheVm(world);
        JudgeLeftovers(world);
    }

    private static void JudgeOperations(World world)
    {
        foreach (var operation in world.Tables.Operations)
        {
            var hasCommitted = operation.Kind == OperationKinds.Checkpoint
                ? world.MachineOf(operation.Source).Packages.ContainsKey($"package-of-{operation.Id}")
                : world.Tables.HasCommitted(operation.Id);
            var verdict = operation.Outcome switch
            {
                OperationOutcome.Running => "has not ended",
                OperationOutcome.Succeeded when !hasCommitted => "succeeded without a commit, or a package",
                OperationOutcome.Cancelled when hasCommitted && operation.Kind == OperationKinds.Migrate => "was cancelled after the commit",
                _ when world.Client.Cancelled.Contains(operation.Id) && operation.Outcome != OperationOutcome.Cancelled => $"was answered as cancelled, and ended as {operation.Outcome}",
                _ when (operation.Kind == OperationKinds.Checkpoint ? world.Tables.FindCheckpointResult(operation.Id)?.Outcome : world.Tables.FindResult(operation.Id)?.Outcome) != operation.Outcome =>
                    "has no result, or another",
                _ => null,
            };
            if (verdict is not null) world.Observer.Violate($"{operation.Id} {verdict}");
        }
    }

    public static void JudgeTheVm(World world)
    {
        var vm = world.Tables.Vm;
        if (vm.Operation is not null) world.Observer.Violate($"{vm.Operation} still holds the reservation");
        var runs = world.Observer.OwnerRuns;

        // One that is to be started again runs again, whatever was killed.
        var (isStopped, isKilled) = (world.Observer.Stopped.Contains((vm.Host, vm.Epoch)), world.Observer.Killed.Contains((vm.Host, vm.Epoch)));
        if (!runs && !isStopped && (world.IsRestarted || !isKilled))
            world.Observer.Violate($"the VM does not run on '{vm.Host}' with epoch {vm.Epoch}, and nobody has killed it there");
        if (runs != (vm.State == VmState.Running) && !(runs && vm.State == VmState.Stopping))
            world.Observer.Violate($"the VM {(runs ? "runs" : "does not run")}, and is recorded as {vm.State}: {vm.Reason}");
    }

    private static void JudgeLeftovers(World world)
    {
        var vm = world.Tables.Vm;
        foreach (var machine in world.Machines)
        {
            foreach (var epoch in machine.Instances.Keys.Union(machine.Disks.Keys))
            {
                if (machine.Name != vm.Host || !Silo.Reconciliation.OrphanRules.IsDiskOf(world.Tables.Record, epoch)) world.Observer.Violate($"an instance or a disk with epoch {epoch} is left on '{machine.Name}'");
            }
        }

        foreach (var machine in world.Machines.Where(static machine => machine.Drafts.Count > 0)) world.Observer.Violate($"half a package is left on '{machine.Name}'");
        foreach (var peer in world.Peers)
        {
            var isOwner = peer.Machine.Name == vm.Host && peer.Epoch == vm.Epoch && peer.Machine.Instances.ContainsValue(peer);
            if (!isOwner && (peer.Process.IsAlive || peer.Guest.IsAlive)) world.Observer.Violate($"{peer.Process.Name} or its QEMU is left");
        }
    }
}
