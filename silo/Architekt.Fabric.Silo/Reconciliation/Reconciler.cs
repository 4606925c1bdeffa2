using Architekt.Fabric.Grains;
using Architekt.Fabric.Peer;
using Architekt.Fabric.Silo.Peers;
using Architekt.Fabric.Silo.Runtime;

namespace Architekt.Fabric.Silo.Reconciliation;

/// <summary>
/// Compares what runs on this host with what Postgres says should, when the silo starts and from time to time. It ends only what it can prove
/// has no claim, and drives on migrations nobody drives.
/// </summary>
internal sealed partial class Reconciler(
    HostRuntime runtime,
    KeptMemory kept,
    PeerSupervisor peers,
    IVmStore vms,
    IOwnershipStore ownership,
    IOperationStore operations,
    OrphanProcesses processes,
    IGrainFactory grains,
    TimeProvider time,
    ILogger<Reconciler> logger) : BackgroundService, IHostedLifecycleService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan PeerDeadline = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StatusDeadline = TimeSpan.FromSeconds(5);
    private HashSet<(string Vm, long Epoch)> _missing = [];

    /// <summary>Before Orleans lets anybody ask: a host that has not found its VMs again yet would say that it has none.</summary>
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        await peers.AdoptAsync(cancellationToken);
        foreach (var peer in peers.Peers) runtime.Account(peer);
    }

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        var isFirst = true;
        do
        {
            try
            {
                await ReconcileAsync(isFirst, stoppingToken);
                isFirst = false;
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                LogFailed(error);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task ReconcileAsync(bool isFirst, CancellationToken cancellationToken)
    {
        var known = peers.Peers.ToHashSet();
        await peers.AdoptAsync(cancellationToken);
        foreach (var peer in peers.Peers.Where(peer => !known.Contains(peer))) runtime.Account(peer);

        // What is under way first: a migration that is driven on explains most of what looks odd below.
        foreach (var operation in await operations.ListUnfinishedAsync(runtime.HostName, cancellationToken))
            await DriveOnAsync(operation, cancellationToken);

        var allCompared = true;
        foreach (var peer in peers.Peers) allCompared &= await TryCompareAsync(peer, cancellationToken);
        processes.Remove();
        if (allCompared) await ReturnAsync(cancellationToken);
        await RecordMissingAsync(isFirst, cancellationToken);
        await RemoveAbandonedAsync(cancellationToken);
        await RemoveOrphansAsync(cancellationToken);
    }

    /// <summary>A host that was declared dead has ended by now what it has no claim to any more, and is ready again.</summary>
    private async Task ReturnAsync(CancellationToken cancellationToken)
    {
        if (!await ownership.IsDeadAsync(runtime.HostName, cancellationToken)) return;
        var returned = await ownership.ReturnAsync(runtime.HostName, cancellationToken);
        LogReturned(returned.Count);
    }

    private async Task DriveOnAsync(OperationInfo operation, CancellationToken cancellationToken)
    {
        try
        {
            await (operation.Kind switch
            {
                OperationKinds.Checkpoint => grains.GetGrain<ICheckpointGrain>(operation.Id).StartAsync(cancellationToken),
                OperationKinds.Drain => grains.GetGrain<IDrainGrain>(operation.Id).StartAsync(cancellationToken),
                _ => grains.GetGrain<IMigrationGrain>(operation.Id).StartAsync(cancellationToken),
            });
        }
        catch (Exception error) when (error is FabricException or Orleans.Runtime.OrleansException or TimeoutException)
        {
            LogNotDriven(operation.Id, error.Message);
        }
    }

    /// <summary>A peer that does not answer keeps nobody else from being looked after.</summary>
    private async Task<bool> TryCompareAsync(SupervisedPeer peer, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(PeerDeadline);
        try
        {
            await CompareAsync(peer, deadline.Token);
            return true;
        }
        catch (Exception error) when (error is FabricException or ObjectDisposedException || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            LogNotCompared(peer.Instance.Vm, error.Message);
            return false;
        }
    }

    /// <summary>A peer without a claim is ended, one left paused by a migration that is over goes on.</summary>
    private async Task CompareAsync(SupervisedPeer peer, CancellationToken cancellationToken)
    {
        var (name, epoch) = (peer.Instance.Vm, peer.Instance.Epoch);

        // Before the row is read: a row that came first says nothing about a migration that began after it.
        var status = await FindStatusAsync(peer, cancellationToken);
        var vm = await vms.FindAsync(name, cancellationToken);
        if (peer.Ended.IsCompleted) return;
        switch (InstanceRules.Judge(vm?.Info, runtime.HostName, epoch, status, peer.IsForsaken(status)))
        {
            case InstanceVerdict.Remove:
                LogNoClaim(name, epoch);

                // Its disk has rules of its own: that of a VM without an owner outlives its process.
                if (OrphanRules.IsOrphanDisk(vm, runtime.HostName, epoch)) await runtime.RemoveAsync(name, epoch, cancellationToken);
                else await peers.EndAsync(name, epoch);
                break;
            case InstanceVerdict.RollBack:
                LogGoesOn(name, status!.Operation!);
                await peer.Client.RollBackAsync(new PeerStep(status.Operation!), cancellationToken);
                break;
            case InstanceVerdict.Run:
                await runtime.RunCommittedAsync(peer, cancellationToken);
                status = await peer.Client.GetStatusAsync(cancellationToken);
                break;
            case InstanceVerdict.RecordRunning when peer.Process.IsAlive() && !peer.Folder.HasEnded:
                await vms.SetStateAsync(
                    name, epoch, status!.IsLive ? VmState.Running : VmState.Booting, null, $"'{name}' runs on '{runtime.HostName}'", cancellationToken);
                break;
            default:
                break;
        }

        if (vm is { Info: { Operation: null } info } && info.Epoch == epoch && status is not null && OrphanRules.IsUnderrated(info.State, status.State))
            await CorrectStateAsync(peer, info.State, cancellationToken);
    }

    /// <summary>It runs, and whoever should have recorded that has died before it could.</summary>
    private async Task CorrectStateAsync(SupervisedPeer peer, VmState recorded, CancellationToken cancellationToken)
    {
        var (name, epoch) = (peer.Instance.Vm, peer.Instance.Epoch);

        // Asked once more: what it said before the row was read may have been its last word, and the row tells of its end.
        var status = await peer.Client.GetStatusAsync(cancellationToken);
        if (!OrphanRules.IsUnderrated(recorded, status.State)) return;
        var isLive = status.IsLive;
        await vms.SetStateAsync(name, epoch, isLive ? VmState.Running : VmState.Booting, null, $"'{name}' runs on '{runtime.HostName}'", cancellationToken);
        if (!isLive) peers.WatchLiveness(peer);
    }

    private async Task<PeerStatus?> FindStatusAsync(SupervisedPeer peer, CancellationToken cancellationToken)
    {
        try
        {
            return await peer.Client.GetStatusAsync(cancellationToken).WaitAsync(StatusDeadline, time, cancellationToken);
        }
        catch (Exception error) when (error is FabricException or TimeoutException)
        {
            LogNoAnswer(peer.Instance.Vm, peer.Instance.Epoch, error.Message);
            return null;
        }
    }

    /// <summary>
    /// After the restart of a machine nothing of its VMs is left; before this they look as if they ran. Later on a VM that is just being started or has just ended is not
    /// taken for one: it has to be missing twice.
    /// </summary>
    private async Task RecordMissingAsync(bool isFirst, CancellationToken cancellationToken)
    {
        var before = _missing;
        _missing = [];
        foreach (var vm in await vms.ListAsync(runtime.HostName, cancellationToken))
        {
            var (name, epoch) = (vm.Info.Name, vm.Info.Epoch);
            if (!OrphanRules.IsMissing(vm, peers.Find(name, epoch) is not null || runtime.IsStarting(name, epoch))) continue;
            if (!isFirst && !before.Contains((name, epoch)))
            {
                _missing.Add((name, epoch));
                continue;
            }

            const string reason = "its processes are gone: the host was restarted, or they were ended";
            await vms.SetStateAsync(name, epoch, VmState.Failed, reason, $"'{name}' failed: {reason}", cancellationToken);
        }
    }

    private async Task RemoveAbandonedAsync(CancellationToken cancellationToken)
    {
        foreach (var vm in await vms.ListAsync(runtime.HostName, cancellationToken))
        {
            var (name, epoch) = (vm.Info.Name, vm.Info.Epoch);
            if (!AbandonedMaking.Is(vm.Info, time.GetUtcNow()) || await IsBusyAsync(name, cancellationToken)) continue;
            LogAbandoned(name);
            await runtime.RemoveAsync(name, epoch, cancellationToken);
            await vms.DeleteAsync(name, epoch, cancellationToken);
        }
    }

    /// <summary>What was left of VMs that are elsewhere or nowhere now, because their host was not asked to remove it, or could not.</summary>
    private async Task RemoveOrphansAsync(CancellationToken cancellationToken)
    {
        await SettleOwnAsync(cancellationToken);
        kept.Expire();
        foreach (var name in kept.Vms)
        {
            if (await vms.FindAsync(name, cancellationToken) is null) kept.Forget(name);
        }

        foreach (var (name, epoch) in runtime.ListDisks())
        {
            // An operation that is under way may be making this one, or has not said yet what is to become of it.
            var vm = await vms.FindAsync(name, cancellationToken);
            if (!OrphanRules.IsOrphanDisk(vm, runtime.HostName, epoch)) continue;
            if (peers.Find(name, epoch) is not null || await IsBusyAsync(name, cancellationToken)) continue;
            LogOrphan(name, epoch);
            await runtime.RemoveAsync(name, epoch, cancellationToken);
        }
    }

    private async Task SettleOwnAsync(CancellationToken cancellationToken)
    {
        foreach (var vm in await vms.ListAsync(runtime.HostName, cancellationToken))
        {
            if (OrphanRules.CanSettleDisk(vm) && !await IsBusyAsync(vm.Info.Name, cancellationToken)) runtime.SettleDisk(vm);
        }

        foreach (var (name, epoch) in runtime.ListConsoleLogs())
        {
            if (!OrphanRules.IsOrphanLog(await vms.FindAsync(name, cancellationToken), runtime.HostName, epoch)) continue;
            if (peers.Find(name, epoch) is null && !peers.IsStarting(name, epoch) && !await IsBusyAsync(name, cancellationToken)) runtime.RemoveConsoleLog(name, epoch);
        }
    }

    private async Task<bool> IsBusyAsync(string vm, CancellationToken cancellationToken) =>
        await operations.ListAsync(vm, limit: 1, cancellationToken) is [{ Outcome: OperationOutcome.Running }];

    [LoggerMessage(2301, LogLevel.Error, "Reconciling failed; it is tried again")]
    private partial void LogFailed(Exception error);

    [LoggerMessage(2308, LogLevel.Warning, "This host was declared dead and is back: {Count} VMs are its own again")]
    private partial void LogReturned(int count);

    [LoggerMessage(2309, LogLevel.Warning, "What {Vm} does could not be compared with what it should: {Reason}")]
    private partial void LogNotCompared(string vm, string reason);

    [LoggerMessage(2302, LogLevel.Warning, "Operation {Operation} could not be driven on: {Reason}")]
    private partial void LogNotDriven(string operation, string reason);

    [LoggerMessage(2303, LogLevel.Warning, "{Vm} with epoch {Epoch} has no claim to run here and is removed")]
    private partial void LogNoClaim(string vm, long epoch);

    [LoggerMessage(2305, LogLevel.Warning, "The disk of {Vm} with epoch {Epoch} belongs to nobody here and is removed")]
    private partial void LogOrphan(string vm, long epoch);

    [LoggerMessage(2306, LogLevel.Warning, "The peer of {Vm} with epoch {Epoch} does not say what it is doing: {Reason}")]
    private partial void LogNoAnswer(string vm, long epoch, string reason);

    [LoggerMessage(2307, LogLevel.Warning, "{Vm} was only there for a package to be made of it, and none is being made: it is removed")]
    private partial void LogAbandoned(string vm);

    [LoggerMessage(2304, LogLevel.Warning, "{Vm} still takes part in migration {Operation}, which is over: it is rolled back and goes on")]
    private partial void LogGoesOn(string vm, string operation);
}
