namespace Architekt.Fabric.Grains;

/// <summary>
/// Takes from a host what it owns, because an operator says that it is off. The epochs are what fences it: should it be on after all or come back, whatever it
/// does with the ones it has is refused, and its own reconciler ends it.
/// </summary>
internal sealed class HostFencing(
    IHostStore hosts, IOwnershipStore ownership, IVmStore vms, IOperationStore operations, Func<string, bool> isAlive, TimeProvider time)
{
    public async Task<HostDeath> DeclareDeadAsync(string host, CancellationToken cancellationToken)
    {
        FabricNames.Require(host, "host");
        var known = await hosts.ListAsync(cancellationToken);
        if (known.FirstOrDefault(candidate => candidate.Name == host) is not { } seen)
            throw FabricException.NotFound($"There is no host '{host}'; known are: {string.Join(", ", known.Select(candidate => candidate.Name))}.");
        if (isAlive(host))
            throw FabricException.Conflict($"Host '{host}' is not dead: its silo is a member of the fabric now. Switch the host off first.");

        // This silo may be stopped here and go on when the host is back: what it has seen before then does not count any more.
        var lost = await ownership.DeclareDeadAsync(host, seen.LastSeen, cancellationToken)
            ?? throw FabricException.Conflict($"Host '{host}' is not dead: it has reported since it was looked at. Switch the host off first.");
        foreach (var operation in await operations.ListUnfinishedAsync(host, cancellationToken))
            await EndIfNobodyDrivesAsync(operation, host, cancellationToken);
        return new HostDeath(
            host,
            [.. lost.Select(vm => vm.Info.Name)],
            [.. lost.Where(vm => vm.Info.Restart == VmRestart.OnFailure || vm.Info.Availability == VmAvailability.Failover).Select(vm => vm.Info.Name)]);
    }

    /// <summary>The other host of a migration drives it to its end; what only the dead one could drive ends here.</summary>
    private async Task EndIfNobodyDrivesAsync(OperationInfo operation, string host, CancellationToken cancellationToken)
    {
        var reason = $"host '{host}' was declared dead";
        var totalMs = (time.GetUtcNow() - operation.StartedAt).TotalMilliseconds;
        if (operation.Kind == OperationKinds.Checkpoint)
        {
            var package = (await operations.FindCheckpointPlanAsync(operation.Id, cancellationToken))?.Package ?? "";
            await operations.EndCheckpointAsync(
                new CheckpointResult(
                    operation.Id, operation.Vm!, host, package, OperationOutcome.Failed, FabricErrorCode.Unavailable, reason, totalMs, PauseMs: null, Package: null),
                cancellationToken);
            return;
        }

        if (operation.Kind != OperationKinds.Migrate || isAlive(operation.Source) || isAlive(operation.Destination!)) return;
        if (await operations.FindPlanAsync(operation.Id, cancellationToken) is not { } plan) return;
        var outcome = await vms.WithdrawAsync(plan, cancellationToken);
        if (outcome == WithdrawOutcome.Unknown)
            throw FabricException.Unavailable($"Postgres did not answer whether migration '{operation.Id}' had committed; declare '{host}' dead again.");
        var hasMoved = outcome == WithdrawOutcome.AlreadyCommitted;
        await operations.EndAsync(
            new MigrationResult(
                plan.Operation, plan.Vm, plan.Source, plan.Destination,
                hasMoved ? plan.Destination : plan.Source, hasMoved ? plan.NextEpoch : plan.Epoch,
                OperationOutcome.Failed, operation.Phase, FabricErrorCode.Unavailable, reason, totalMs, PauseMs: null,
                new Dictionary<MigrationPhase, double>(), Pause: null, TransferCounters.None, Verified: null),
            cancellationToken);
    }
}
