namespace Architekt.Fabric.Grains.Tests.Fakes;

internal sealed class FakeDrainStore(FakeWorld world) : IDrainStore
{
    private readonly FakeDatabase _database = world.Database;

    public async Task<bool> SetCordonedAsync(string host, bool isCordoned, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return _database.Do(tables =>
        {
            if (!tables.Hosts.TryGetValue(host, out var known)) return false;
            if (!isCordoned && RunningOn(tables, host) is { } drain) throw FabricException.Conflict($"Host '{host}' is being drained by operation '{drain}'.");
            tables.Hosts[host] = known with { IsCordoned = isCordoned };
            return true;
        });
    }

    public async Task<OperationInfo> BeginAsync(DrainPlan plan, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return _database.Do(tables =>
        {
            if (tables.Operations.TryGetValue(plan.Operation, out var known)) return known.Info;
            if (!tables.Hosts.TryGetValue(plan.Host, out var host)) throw FabricException.NotFound($"There is no host '{plan.Host}'.");
            if (RunningOn(tables, plan.Host) is { } drain) throw FabricException.Conflict($"Host '{plan.Host}' is being drained by operation '{drain}'.");
            var info = new OperationInfo(
                plan.Operation, OperationKinds.Drain, null, plan.Host, null, 0, MigrationPhase.Copy, OperationOutcome.Running, null, plan.RequestedAt, null);
            tables.Operations.Add(plan.Operation, (null!, info, null));
            tables.Drains.Add(plan.Operation, (plan, DrainState.Begin, null));
            tables.Hosts[plan.Host] = host with { IsCordoned = true };
            return info;
        });
    }

    public async Task<DrainPlan?> FindPlanAsync(string id, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return _database.Do(tables => tables.Drains.GetValueOrDefault(id).Plan);
    }

    public async Task<DrainState> ReadStateAsync(string id, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return _database.Do(tables => tables.Drains[id].State);
    }

    public async Task WriteStateAsync(string id, DrainState state, CancellationToken cancellationToken)
    {
        await Task.Yield();
        _database.Do(tables => tables.Operations[id].Info.Outcome == OperationOutcome.Running
            ? tables.Drains[id] = tables.Drains[id] with { State = state }
            : throw FabricException.Conflict($"Drain '{id}' has ended."));
    }

    public async Task<DrainResult?> FindResultAsync(string id, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return _database.Do(tables => tables.Drains.GetValueOrDefault(id).Result);
    }

    public async Task EndAsync(DrainResult result, CancellationToken cancellationToken)
    {
        await Task.Yield();
        _database.Do(tables =>
        {
            var known = tables.Operations[result.Operation];
            if (known.Info.Outcome != OperationOutcome.Running) return false;
            var ended = known.Info with { Phase = MigrationPhase.Done, Outcome = result.Outcome, Reason = result.Reason, EndedAt = DateTimeOffset.UtcNow };
            tables.Operations[result.Operation] = known with { Info = ended };
            tables.Drains[result.Operation] = tables.Drains[result.Operation] with { Result = result };
            return true;
        });
    }

    private static string? RunningOn(FakeDatabase.Tables tables, string host) => tables.Operations.Values.Select(known => known.Info)
        .FirstOrDefault(info => info.Kind == OperationKinds.Drain && info.Source == host && info.Outcome == OperationOutcome.Running)?.Id;
}
