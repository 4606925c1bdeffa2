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
    IOperationStore operations,
    IGrainFactory grains,
    TimeProvider time,
    ILogger<Reconciler> logger) : BackgroundService, IHostedLifecycleService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan StatusDeadline = TimeSpan.FromSeconds(5);

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
        // What is under way first: a migration that is driven on explains most of what looks odd below.
        foreach (var operation in await operations.ListUnfinishedAsync(runtime.HostName, cancellationToken))
            await DriveOnAsync(operation, cancellationToken);

        foreach (var peer in peers.Peers) await CompareAsync(peer, cancellationToken);
        await RecordMissingAsync(isFirst, cancellationToken);
        await RemoveOrphansAsync(cancellationToken);
    }

    private async Task DriveOnAsync(OperationInfo operation, CancellationToken cancellationToken)
    {
        try
        {
            await (operation.Kind == OperationKinds.Checkpoint
                ? grains.GetGrain<ICheckpointGrain>(operation.Id).StartAsync(cancellationToken)
                : grains.GetGrain<IMigrationGrain>(operation.Id).StartAsync(cancellationToken));
        }
        catch (Exception error) when (error is FabricException or Orleans.Runtime.OrleansException or TimeoutException)
        {
            LogNotDriven(operation.Id, error.Message);
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
        switch (InstanceRules.Judge(vm?.Info, runtime.HostName, epoch, status))
        {
            case InstanceVerdict.Remove:
                LogNoClaim(name, epoch);
                await runtime.RemoveAsync(name, epoch, cancellationToken);
                break;
            case InstanceVerdict.RollBack:
                LogGoesOn(name, status!.Operation!);
                await peer.Client.RollBackAsync(new PeerStep(status.Operation!), cancellationToken);
                break;
            case InstanceVerdict.Run:
                await peer.Client.RunAsync(epoch, isRehearsal: false, cancellationToken);
                break;
            case InstanceVerdict.RecordRunning when peer.Process.IsAlive() && !peer.Folder.HasEnded:
                await vms.SetStateAsync(
                    name, epoch, status!.IsLive ? VmState.Running : VmState.Booting, null, $"'{name}' runs on '{runtime.HostName}'", cancellationToken);
                break;
            default:
                break;
        }
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

    /// <summary>After the restart of a machine nothing of its VMs is left; before this they look as if they ran. What is being started later may not be there yet.</summary>
    private async Task RecordMissingAsync(bool isFirst, CancellationToken cancellationToken)
    {
        foreach (var vm in await vms.ListAsync(runtime.HostName, cancellationToken))
        {
            var (name, epoch) = (vm.Info.Name, vm.Info.Epoch);
            if (vm.Info.State == VmState.Starting && !isFirst) continue;
            if (vm.Info.State is VmState.Stopped or VmState.Failed || vm.Info.Operation is not null || peers.Find(name, epoch) is not null) continue;
            const string reason = "its processes are gone: the host was restarted, or they were ended";
            await vms.SetStateAsync(name, epoch, VmState.Failed, reason, $"'{name}' failed: {reason}", cancellationToken);
        }
    }

    /// <summary>What was left of VMs that are elsewhere or nowhere now, because their host was not asked to remove it, or could not.</summary>
    private async Task RemoveOrphansAsync(CancellationToken cancellationToken)
    {
        kept.Expire();
        foreach (var name in kept.Vms)
        {
            if (await vms.FindAsync(name, cancellationToken) is null) kept.Forget(name);
        }

        foreach (var (name, epoch) in runtime.ListDisks())
        {
            // An operation that is under way may be making this one, or has not said yet what is to become of it.
            var vm = await vms.FindAsync(name, cancellationToken);
            if (vm is { Info.Operation: not null } || (vm is not null && vm.Info.Host == runtime.HostName && vm.Info.Epoch == epoch)) continue;
            if (peers.Find(name, epoch) is not null || await IsBusyAsync(name, cancellationToken)) continue;
            LogOrphan(name, epoch);
            await runtime.RemoveAsync(name, epoch, cancellationToken);
        }
    }

    private async Task<bool> IsBusyAsync(string vm, CancellationToken cancellationToken) =>
        await operations.ListAsync(vm, limit: 1, cancellationToken) is [{ Outcome: OperationOutcome.Running }];

    [LoggerMessage(2301, LogLevel.Error, "Reconciling failed; it is tried again")]
    private partial void LogFailed(Exception error);

    [LoggerMessage(2302, LogLevel.Warning, "Operation {Operation} could not be driven on: {Reason}")]
    private partial void LogNotDriven(string operation, string reason);

    [LoggerMessage(2303, LogLevel.Warning, "{Vm} with epoch {Epoch} has no claim to run here and is removed")]
    private partial void LogNoClaim(string vm, long epoch);

    [LoggerMessage(2305, LogLevel.Warning, "The disk of {Vm} with epoch {Epoch} belongs to nobody here and is removed")]
    private partial void LogOrphan(string vm, long epoch);

    [LoggerMessage(2306, LogLevel.Warning, "The peer of {Vm} with epoch {Epoch} does not say what it is doing: {Reason}")]
    private partial void LogNoAnswer(string vm, long epoch, string reason);

    [LoggerMessage(2304, LogLevel.Warning, "{Vm} still takes part in migration {Operation}, which is over: it is rolled back and goes on")]
    private partial void LogGoesOn(string vm, string operation);
}
