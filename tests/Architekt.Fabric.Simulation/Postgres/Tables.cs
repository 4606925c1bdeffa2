using Architekt.Fabric.Grains;

namespace Architekt.Fabric.Simulation.Postgres;

/// <summary>The tables, and each statement on them as one indivisible step: what row locks make of the statements of the Database project.</summary>
internal sealed partial class Tables(Func<long> now, MachineDescription machine)
{
    private readonly Dictionary<string, Operation> _operations = [];
    private readonly List<string> _ids = [];
    private readonly HashSet<string> _committed = [];

    private sealed class Operation(MigrationPlan plan, OperationInfo info)
    {
        public MigrationPlan Plan => plan;

        public OperationInfo Info { get; set; } = info;

        public MigrationResult? Result { get; set; }
    }

    /// <summary>The VM's row.</summary>
    public required VmInfo Vm { get; set; }

    /// <summary>The highest epoch that was given out.</summary>
    public long LastEpoch { get; private set; } = 1;

    /// <summary>Operations whose driver asked to be reminded.</summary>
    public HashSet<string> Reminders { get; } = [];

    public IEnumerable<OperationInfo> Operations => _ids.Select(id => _operations[id].Info);

    public bool HasRunning => _operations.Values.Any(static operation => operation.Info.Outcome == OperationOutcome.Running);

    public bool HasCommitted(string operation) => _committed.Contains(operation);

    public OperationInfo? Find(string id) => _operations.GetValueOrDefault(id)?.Info;

    public MigrationPlan? FindPlan(string id) => _operations.GetValueOrDefault(id)?.Plan;

    public MigrationResult? FindResult(string id) => _operations.GetValueOrDefault(id)?.Result;

    public IReadOnlyList<OperationInfo> ListUnfinished(string host) =>
        [.. Operations.Where(info => info.Outcome == OperationOutcome.Running && (info.Source == host || info.Destination == host))];

    /// <param name="plan">The migration.</param>
    /// <param name="countsEpochs">Whether an epoch that was reserved once is never given out again.</param>
    public OperationInfo Begin(MigrationPlan plan, bool countsEpochs)
    {
        if (Find(plan.Operation) is { } known) return known;
        if (Operations.FirstOrDefault(static info => info.Outcome == OperationOutcome.Running) is { } running)
            throw FabricException.Conflict($"VM '{plan.Vm}' is being migrated by operation '{running.Id}'.");
        if (Vm.Host != plan.Source || Vm.Epoch != plan.Epoch) throw FabricException.StaleEpoch($"VM '{plan.Vm}' has changed hands.");
        plan = plan with { ReservedEpoch = countsEpochs ? LastEpoch + 1 : plan.Epoch + 1 };
        LastEpoch = plan.ReservedEpoch;
        var info = new OperationInfo(
            plan.Operation, OperationKinds.Migrate, plan.Vm, plan.Source, plan.Destination, plan.NextEpoch, MigrationPhase.Check, OperationOutcome.Running,
            null, plan.RequestedAt, null);
        _operations.Add(plan.Operation, new Operation(plan, info));
        _ids.Add(plan.Operation);
        Vm = Vm with { Operation = plan.Operation };
        return info;
    }

    public bool SetPhase(string id, MigrationPhase phase)
    {
        var operation = _operations[id];
        if (operation.Info.Outcome != OperationOutcome.Running) throw FabricException.Conflict($"Operation '{id}' has ended ({operation.Info.Outcome}).");
        operation.Info = operation.Info with { Phase = phase };
        return true;
    }

    public bool End(MigrationResult result)
    {
        var operation = _operations[result.Operation];
        Withdraw(result.Operation);
        if (operation.Info.Outcome != OperationOutcome.Running) return false;
        operation.Info = operation.Info with { Phase = MigrationPhase.Done, Outcome = result.Outcome, Reason = result.Reason };
        operation.Result = result;
        return true;
    }

    public CommitOutcome Commit(MigrationPlan plan, bool compares)
    {
        if (compares && (Vm.Host != plan.Source || Vm.Epoch != plan.Epoch || Vm.Operation != plan.Operation)) return CommitOutcome.Refused;
        Own(plan.Destination, Vm.State is VmState.Failed or VmState.Stopped ? VmState.Running : Vm.State, plan.NextEpoch);
        _committed.Add(plan.Operation);
        var operation = _operations[plan.Operation];
        if (operation.Info.Outcome == OperationOutcome.Running) operation.Info = operation.Info with { Phase = MigrationPhase.Run };
        return CommitOutcome.Committed;
    }

    public void Withdraw(string operation)
    {
        if (Vm.Operation == operation) Vm = Vm with { Operation = null };
    }

    public bool SetState(long epoch, VmState state, string? reason)
    {
        if (Vm.Epoch != epoch) return false;
        Vm = Vm with { State = state, Reason = reason };
        _stateSince = Clock;
        if (state == VmState.Starting) _restarts = 0;
        if (state == VmState.Stopped) _leaseUntil = null;
        return true;
    }
}
