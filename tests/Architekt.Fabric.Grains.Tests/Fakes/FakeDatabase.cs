namespace Architekt.Fabric.Grains.Tests.Fakes;

/// <summary>The tables behind the fake stores, with the rules of the real statements and a switch that makes Postgres unreachable.</summary>
internal sealed class FakeDatabase(FakeWorld world)
{
    private readonly Dictionary<string, HostInfo> _hosts = [];
    private readonly Dictionary<string, VmRecord> _vms = [];
    private readonly Dictionary<string, (MigrationPlan Plan, OperationInfo Info, MigrationResult? Result)> _operations = [];
    private readonly Dictionary<string, (CheckpointPlan Plan, CheckpointResult? Result)> _checkpoints = [];
    private readonly Dictionary<string, (DrainPlan Plan, DrainState State, DrainResult? Result)> _drains = [];
    private readonly HashSet<string> _committed = [];
    private readonly Dictionary<string, long> _lastEpochs = [];
    private readonly List<FabricEvent> _events = [];
    private readonly Lock _lock = new();
    private int _refused;

    public bool IsDown { get; set; }

    /// <summary>How many calls have found it unreachable.</summary>
    public int Refused => Volatile.Read(ref _refused);

    public FakeWorld World => world;

    public T Do<T>(Func<Tables, T> action)
    {
        if (IsDown)
        {
            Refuse();
            throw FabricException.Unavailable("Postgres at 'test' cannot be reached.");
        }

        lock (_lock) return action(new Tables(_hosts, _vms, _operations, _checkpoints, _drains, _committed, _lastEpochs, _events));
    }

    /// <summary>Counts a call that finds it unreachable.</summary>
    public void Refuse() => Interlocked.Increment(ref _refused);

    /// <summary>Who owns a VM, for the tests themselves: also while Postgres is down for everybody else.</summary>
    public string? OwnerOf(string vm)
    {
        lock (_lock) return _vms.GetValueOrDefault(vm)?.Info.Host;
    }

    /// <summary>The commit itself, for scripts that carry it out and lose its answer.</summary>
    public CommitOutcome Commit(MigrationPlan plan)
    {
        lock (_lock)
        {
            if (!_vms.TryGetValue(plan.Vm, out var row)) return CommitOutcome.Refused;
            var info = row.Info;
            if (info.Host != plan.Source || info.Epoch != plan.Epoch || info.Operation != plan.Operation) return CommitOutcome.Refused;
            _vms[plan.Vm] = row with { Info = info with { Host = plan.Destination, Epoch = plan.NextEpoch, Operation = null } };
            _committed.Add(plan.Operation);
            var operation = _operations[plan.Operation];
            _operations[plan.Operation] = operation with { Info = operation.Info with { Phase = MigrationPhase.Run } };
            return CommitOutcome.Committed;
        }
    }

    internal sealed record Tables(
        Dictionary<string, HostInfo> Hosts,
        Dictionary<string, VmRecord> Vms,
        Dictionary<string, (MigrationPlan Plan, OperationInfo Info, MigrationResult? Result)> Operations,
        Dictionary<string, (CheckpointPlan Plan, CheckpointResult? Result)> Checkpoints,
        Dictionary<string, (DrainPlan Plan, DrainState State, DrainResult? Result)> Drains,
        HashSet<string> Committed,
        Dictionary<string, long> LastEpochs,
        List<FabricEvent> Events)
    {
        public void Change(string vm, Func<VmInfo, VmInfo> change) => Vms[vm] = Vms[vm] with { Info = change(Vms[vm].Info) };
    }
}
