using Architekt.Fabric.Grains;
using Architekt.Fabric.Simulation.Bugs;

namespace Architekt.Fabric.Simulation.Hosts;

/// <content>Packages made of VMs that run, as <c>HostRuntime</c> and the package store make them, and the driver of a checkpoint as <c>CheckpointGrain</c> keeps it.</content>
internal sealed partial class SimSilo
{
    private readonly Dictionary<string, CheckpointDriver> _checkpoints = [];

    /// <summary>What <c>VmGrain.CheckpointAsync</c> does.</summary>
    public async Task<OperationInfo> CheckpointAsync(string operation, bool keepsRunning)
    {
        var request = new CheckpointRequest(operation, $"package-of-{operation}", keepsRunning);
        var info = await Operations.FindAsync(operation, CancellationToken.None)
            ?? await Operations.BeginCheckpointAsync(await Commands.PlanAsync(request, CancellationToken.None), CancellationToken.None);
        if (info.Outcome == OperationOutcome.Running) await _world.StartDriverAsync(this, operation);
        return info;
    }

    public CheckpointDriver ActivateCheckpoint(string operation)
    {
        if (_checkpoints.TryGetValue(operation, out var known)) return known;
        if (_world.Scheduler.Trace.IsOn) _world.Scheduler.Trace.Write(_world.Scheduler.Now, $"   {Process.Name}: activates {operation}");
        var driver = new CheckpointDriver(operation, MakePackageAsync, Operations, temporary: null, Process.Time, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        _checkpoints.Add(operation, driver);
        return driver;
    }

    public bool IsCheckpoint(string operation) => _world.Tables.FindCheckpointPlan(operation) is not null;

    public PackageInfo? FindPackage(string name) => _machine.Packages.ContainsKey(name) ? Info(name) : null;

    private async Task<CheckpointReport> MakePackageAsync(CheckpointPlan plan, CancellationToken cancellationToken)
    {
        var supervised = Require(plan.Epoch);
        var peer = supervised.Peer;
        var draft = new Draft(plan.Package, Process);
        if (_machine.Packages.ContainsKey(plan.Package)) throw new FabricException(FabricErrorCode.AlreadyExists, "there is such a package");
        _machine.Drafts.Add(draft);
        try
        {
            await Process.DelayAsync(_world.Scheduler.Pick(1_000, 50_000));
            cancellationToken.ThrowIfCancellationRequested();
            await CallAsync(peer, () => peer.CheckpointAsync(plan.Epoch, plan.Operation, draft, plan.KeepRunning));
            if (!plan.KeepRunning) cancellationToken = CancellationToken.None;
            await Process.DelayAsync(_world.Scheduler.Pick(5_000, 300_000));
            cancellationToken.ThrowIfCancellationRequested();
            if (!_machine.Packages.TryAdd(plan.Package, draft)) throw new FabricException(FabricErrorCode.AlreadyExists, "there is such a package");
            _world.Observer.Packaged(draft);
            if (!plan.KeepRunning) await supervised.Ended;
            return new CheckpointReport(Info(plan.Package), 0);
        }
        finally
        {
            draft.IsGone = true;
            _machine.Drafts.Remove(draft);
        }
    }

    /// <summary>What opening the store does: what is being made by nobody goes away.</summary>
    private void RemoveDrafts()
    {
        if (_world.Bug == SeededBug.HalfPackageKept) return;
        foreach (var draft in _machine.Drafts) draft.IsGone = true;
        _machine.Drafts.Clear();
    }

    private PackageInfo Info(string name) => new(_machine.Name, name, name, "package", "x86_64", "q35", 1, 1 << 28, 0, DateTimeOffset.UnixEpoch, []);
}
