namespace Architekt.Fabric.Grains.Tests.Fakes;

internal sealed class FakeOperationStore(FakeWorld world) : IOperationStore
{
    private readonly FakeDatabase _database = world.Database;

    public async Task<OperationInfo> BeginAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return _database.Do(tables =>
        {
            if (tables.Operations.TryGetValue(plan.Operation, out var known)) return known.Info;
            if (!tables.Vms.TryGetValue(plan.Vm, out var row)) throw FabricException.NotFound($"There is no VM '{plan.Vm}'.");
            if (tables.Operations.Values.FirstOrDefault(other => other.Info.Vm == plan.Vm && other.Info.Outcome == OperationOutcome.Running).Info is { } running)
                throw FabricException.Conflict($"VM '{plan.Vm}' is being migrated by operation '{running.Id}'; wait for it or cancel it.");
            if (row.Info.Host != plan.Source || row.Info.Epoch != plan.Epoch) throw FabricException.StaleEpoch($"VM '{plan.Vm}' has changed hands.");
            plan = plan with { ReservedEpoch = tables.LastEpochs[plan.Vm] = Math.Max(tables.LastEpochs.GetValueOrDefault(plan.Vm), row.Info.Epoch) + 1 };
            var info = new OperationInfo(
                plan.Operation, "migrate", plan.Vm, plan.Source, plan.Destination, plan.NextEpoch, MigrationPhase.Check, OperationOutcome.Running, null, plan.RequestedAt, null);
            tables.Operations.Add(plan.Operation, (plan, info, null));
            tables.Change(plan.Vm, vm => vm with { Operation = plan.Operation });
            world.Write(plan.Vm, "db:Begin");
            return info;
        });
    }

    public async Task<OperationInfo> BeginCheckpointAsync(CheckpointPlan plan, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return _database.Do(tables =>
        {
            if (tables.Operations.TryGetValue(plan.Operation, out var known)) return known.Info;
            if (tables.Operations.Values.Any(other => other.Info.Vm == plan.Vm && other.Info.Outcome == OperationOutcome.Running))
                throw FabricException.Conflict($"VM '{plan.Vm}' is busy.");
            var info = new OperationInfo(
                plan.Operation, OperationKinds.Checkpoint, plan.Vm, plan.Host, plan.Host, plan.Epoch, MigrationPhase.Check, OperationOutcome.Running, null, plan.RequestedAt, null);
            tables.Operations.Add(plan.Operation, (null!, info, null));
            tables.Checkpoints.Add(plan.Operation, (plan, null));
            tables.Change(plan.Vm, vm => vm with { Operation = plan.Operation });
            return info;
        });
    }

    public async Task<CheckpointPlan?> FindCheckpointPlanAsync(string id, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return _database.Do(tables => tables.Checkpoints.GetValueOrDefault(id).Plan);
    }

    public async Task<CheckpointResult?> FindCheckpointResultAsync(string id, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return _database.Do(tables => tables.Checkpoints.GetValueOrDefault(id).Result);
    }

    public async Task EndCheckpointAsync(CheckpointResult result, CancellationToken cancellationToken)
    {
        await Task.Yield();
        _database.Do(tables =>
        {
            var known = tables.Operations[result.Operation];
            if (known.Info.Outcome != OperationOutcome.Running) return false;
            var ended = known.Info with { Phase = MigrationPhase.Done, Outcome = result.Outcome, Reason = result.Reason, EndedAt = DateTimeOffset.UtcNow };
            tables.Operations[result.Operation] = known with { Info = ended };
            tables.Checkpoints[result.Operation] = (tables.Checkpoints[result.Operation].Plan, result);
            tables.Change(result.Vm, static vm => vm with { Operation = null });
            return true;
        });
    }

    public async Task<OperationInfo?> FindAsync(string id, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return _database.Do(tables => tables.Operations.GetValueOrDefault(id).Info);
    }

    public async Task<MigrationPlan?> FindPlanAsync(string id, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return _database.Do(tables => tables.Operations.GetValueOrDefault(id).Plan);
    }

    public async Task<MigrationResult?> FindResultAsync(string id, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return _database.Do(tables => tables.Operations.GetValueOrDefault(id).Result);
    }

    public async Task<IReadOnlyList<OperationInfo>> ListAsync(string? vm, int limit, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return _database.Do(tables => tables.Operations.Values.Select(known => known.Info).Where(info => vm is null || info.Vm == vm)
            .OrderByDescending(info => info.StartedAt).Take(limit).ToList());
    }

    public async Task<IReadOnlyList<OperationInfo>> ListRunningAsync(string? vm, int limit, CancellationToken cancellationToken) =>
        [.. (await ListAsync(vm, int.MaxValue, cancellationToken)).Where(info => info.Outcome == OperationOutcome.Running).Take(limit)];

    public async Task<IReadOnlyList<OperationInfo>> ListUnfinishedAsync(string host, CancellationToken cancellationToken)
    {
        await Task.Yield();
        await world.CallAsync("db", "ListUnfinished", host, cancellationToken);
        return _database.Do(tables => tables.Operations.Values.Select(known => known.Info)
            .Where(info => info.Outcome == OperationOutcome.Running && (info.Source == host || info.Destination == host)).ToList());
    }

    public async Task SetPhaseAsync(string id, MigrationPhase phase, CancellationToken cancellationToken)
    {
        await Task.Yield();
        _database.Do(tables =>
        {
            var known = tables.Operations[id];
            if (known.Info.Outcome != OperationOutcome.Running) throw FabricException.Conflict($"Operation '{id}' has ended.");
            tables.Operations[id] = known with { Info = known.Info with { Phase = phase } };
            world.Write(known.Info.Vm!, $"db:Phase {phase}");
            return true;
        });
    }

    public async Task EndAsync(MigrationResult result, CancellationToken cancellationToken)
    {
        await Task.Yield();
        _database.Do(tables =>
        {
            var known = tables.Operations[result.Operation];
            if (known.Info.Outcome != OperationOutcome.Running) return false;
            var ended = known.Info with { Phase = MigrationPhase.Done, Outcome = result.Outcome, Reason = result.Reason, EndedAt = DateTimeOffset.UtcNow };
            tables.Operations[result.Operation] = (known.Plan, ended, result);
            if (tables.Vms.GetValueOrDefault(result.Vm)?.Info.Operation == result.Operation) tables.Change(result.Vm, static vm => vm with { Operation = null });
            world.Write(result.Vm, "db:End");
            return true;
        });
    }
}
