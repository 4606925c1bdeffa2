using Architekt.Fabric.Grains;

namespace Architekt.Fabric.Simulation.Postgres;

/// <summary>The tables, and each statement on them as one indivisible step: what row locks make of the statements of the Database project.</summary>
internal sealed partial class Tables(Func<long> now, MachineDescription machine)
{
    private readonly Dictionary<string, Operation> _operations = [];
    private readonly List<string> _ids = [];
    private readonly HashSet<string> _committed = [];

    private sealed class Operation(MigrationPlan? plan, CheckpointPlan? checkpoint, OperationInfo info)
    {
        public MigrationPlan? Plan => plan;

        public CheckpointPlan? Checkpoint => checkpoint;

        public OperationInfo Info { get; set; } = info;

        public MigrationResult? Result { get; set; }

        public CheckpointResult? CheckpointResult { get; set; }
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

    public CheckpointPlan? FindCheckpointPlan(string id) => _operations.GetValueOrDefault(id)?.Checkpoint;

    public CheckpointResult? FindCheckpointResult(string id) => _operations.GetValueOrDefault(id)?.CheckpointResult;

    public IReadOnlyList<OperationInfo> ListUnfinished(string host) =>
        [.. Operations.Where(info => info.Outcome == OperationOutcome.Running && (info.Source == host || info.Destination == host))];

    /// <param name="plan">The migration.</param>
    /// <param name="countsEpochs">Whether an epoch that was reserved once is never given out again.</param>
    public OperationInfo Begin(MigrationPlan plan, bool countsEpochs)
    {
        if (Find(plan.Operation) is { } known) return known;
        RequireFree(plan.Source, plan.Epoch, isExclusive: true);
        if (plan.IsStopped && Vm.State is not (VmState.Stopped or VmState.Failed)) throw FabricException.Conflict($"VM '{plan.Vm}' has been started since.");
        plan = plan with { ReservedEpoch = countsEpochs ? LastEpoch + 1 : plan.Epoch + 1 };
        LastEpoch = plan.ReservedEpoch;
        var info = new OperationInfo(
            plan.Operation, OperationKinds.Migrate, plan.Vm, plan.Source, plan.Destination, plan.NextEpoch, MigrationPhase.Check, OperationOutcome.Running,
            null, plan.RequestedAt, null);
        return Add(new Operation(plan, null, info));
    }

    /// <param name="plan">The checkpoint.</param>
    /// <param name="isExclusive">Whether it keeps off what else is under way.</param>
    public OperationInfo Begin(CheckpointPlan plan, bool isExclusive)
    {
        if (Find(plan.Operation) is { } known) return known;
        RequireFree(plan.Host, plan.Epoch, isExclusive);
        var info = new OperationInfo(
            plan.Operation, OperationKinds.Checkpoint, plan.Vm, plan.Host, plan.Host, plan.Epoch, MigrationPhase.Check, OperationOutcome.Running,
            null, plan.RequestedAt, null);
        var before = Vm.Operation;
        Add(new Operation(null, plan, info));
        if (!isExclusive && before is not null) Vm = Vm with { Operation = before };
        return info;
    }

    private void RequireFree(string host, long epoch, bool isExclusive)
    {
        if (isExclusive && Operations.FirstOrDefault(static info => info.Outcome == OperationOutcome.Running) is { } running)
            throw FabricException.Conflict($"The VM is busy with operation '{running.Id}'.");
        if (Vm.Host != host || Vm.Epoch != epoch) throw FabricException.StaleEpoch("The VM has changed hands.");
    }

    private OperationInfo Add(Operation operation)
    {
        _operations.Add(operation.Info.Id, operation);
        _ids.Add(operation.Info.Id);
        Vm = Vm with { Operation = operation.Info.Id };
        return operation.Info;
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
        if (!End(result.Operation, result.Outcome, result.Reason)) return false;
        _operations[result.Operation].Result = result;
        return true;
    }

    public bool End(CheckpointResult result)
    {
        if (!End(result.Operation, result.Outcome, result.Reason)) return false;
        _operations[result.Operation].CheckpointResult = result;
        return true;
    }

    private bool End(string id, OperationOutcome outcome, string? reason)
    {
        var operation = _operations[id];
        Withdraw(id);
        if (operation.Info.Outcome != OperationOutcome.Running) return false;
        operation.Info = operation.Info with { Phase = MigrationPhase.Done, Outcome = outcome, Reason = reason };
        return true;
    }

    public CommitOutcome Commit(MigrationPlan plan, bool compares)
    {
        if (compares && (Vm.Host != plan.Source || Vm.Epoch != plan.Epoch || Vm.Operation != plan.Operation)) return CommitOutcome.Refused;
        Own(plan.Destination, !plan.IsStopped && Vm.State is (VmState.Failed or VmState.Stopped) ? VmState.Running : Vm.State, plan.NextEpoch);
        _committed.Add(plan.Operation);
        var operation = _operations[plan.Operation];
        if (operation.Info.Outcome == OperationOutcome.Running) operation.Info = operation.Info with { Phase = MigrationPhase.Run };
        return CommitOutcome.Committed;
    }

    public WithdrawOutcome OutcomeOf(MigrationPlan plan)
    {
        if (HasCommitted(plan.Operation)) return WithdrawOutcome.AlreadyCommitted;
        return Vm.Host == plan.Source && Vm.Epoch == plan.Epoch ? WithdrawOutcome.Withdrawn : WithdrawOutcome.TakenOver;
    }

    public void Withdraw(string operation)
    {
        if (Vm.Operation == operation) Vm = Vm with { Operation = null };
    }

    /// <param name="epoch">The epoch the caller acts for.</param>
    /// <param name="state">What the VM does now.</param>
    /// <param name="reason">Why.</param>
    /// <param name="compares">Whether a VM that an operation is under way on is not started.</param>
    public bool SetState(long epoch, VmState state, string? reason, bool compares)
    {
        if (Vm.Epoch != epoch) return false;
        if (compares && state == VmState.Starting && (Vm.Operation is not null || HasRunning)) return false;
        _lostFrom = null;
        Vm = Vm with { State = state, Reason = reason };
        _stateSince = Clock;
        if (state == VmState.Starting) _restarts = 0;
        if (state == VmState.Stopped) _leaseUntil = null;
        return true;
    }
}
