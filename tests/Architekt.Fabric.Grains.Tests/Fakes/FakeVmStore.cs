namespace Architekt.Fabric.Grains.Tests.Fakes;

internal sealed class FakeVmStore(FakeWorld world) : IVmStore
{
    private readonly FakeDatabase _database = world.Database;

    public Task<VmRecord?> FindAsync(string vm, CancellationToken cancellationToken) =>
        Async(() => _database.Do(tables => tables.Vms.GetValueOrDefault(vm)));

    public Task<IReadOnlyList<VmRecord>> ListAsync(string? host, CancellationToken cancellationToken) =>
        Async<IReadOnlyList<VmRecord>>(() => _database.Do(tables =>
            tables.Vms.Values.Where(row => host is null || row.Info.Host == host).OrderBy(row => row.Info.Name, StringComparer.Ordinal).ToList()));

    public Task CreateAsync(VmRecord vm, CancellationToken cancellationToken) => Async(() => _database.Do(tables =>
        tables.Vms.TryAdd(vm.Info.Name, vm)
            ? true
            : throw new FabricException(FabricErrorCode.AlreadyExists, $"There is a VM named '{vm.Info.Name}' already.")));

    public Task<bool> SetStateAsync(
        string vm, long epoch, VmState state, string? reason, string? message, CancellationToken cancellationToken) => Async(() => _database.Do(tables =>
        {
            if (tables.Vms.GetValueOrDefault(vm)?.Info.Epoch != epoch) return false;
            tables.Change(vm, info => info with { State = state, Reason = reason });
            return true;
        }));

    public Task<bool> DeleteAsync(string vm, long epoch, CancellationToken cancellationToken) => Async(() => _database.Do(tables =>
    {
        if (tables.Vms.GetValueOrDefault(vm) is not { } row || row.Info.Epoch != epoch || row.Info.Operation is not null) return false;
        if (tables.Operations.Values.Any(known => known.Info.Vm == vm && known.Info.Outcome == OperationOutcome.Running)) return false;
        return tables.Vms.Remove(vm);
    }));

    public async Task<CommitOutcome> CommitAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        var scripted = await world.CallAsync("db", "Commit", plan.Vm, cancellationToken);
        if (scripted is CommitOutcome outcome) return outcome;
        if (!_database.IsDown) return _database.Commit(plan);
        _database.Refuse();
        return CommitOutcome.Unknown;
    }

    public async Task<WithdrawOutcome> WithdrawAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        var scripted = await world.CallAsync("db", "Withdraw", plan.Vm, cancellationToken);
        if (scripted is WithdrawOutcome outcome) return outcome;
        if (_database.IsDown) return WithdrawOutcome.Unknown;
        return _database.Do(tables =>
        {
            if (tables.Committed.Contains(plan.Operation)) return WithdrawOutcome.AlreadyCommitted;
            var info = tables.Vms[plan.Vm].Info;
            if (info.Operation == plan.Operation) tables.Change(plan.Vm, static info => info with { Operation = null });
            return info.Host == plan.Source && info.Epoch == plan.Epoch ? WithdrawOutcome.Withdrawn : WithdrawOutcome.TakenOver;
        });
    }

    public Task<CommitOutcome> RehearseCommitAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        Async(() => _database.Do(static _ => CommitOutcome.Committed));

    /// <summary>Npgsql never answers on the caller's stack either.</summary>
    private static async Task<T> Async<T>(Func<T> action)
    {
        await Task.Yield();
        return action();
    }
}
