using Architekt.Fabric.Peer;
using Architekt.Fabric.Silo.Reconciliation;
using Architekt.Fabric.Simulation.Bugs;
using Architekt.Fabric.Simulation.Peers;

namespace Architekt.Fabric.Simulation.Hosts;

/// <content>The reconciler, around the real <see cref="InstanceRules"/>.</content>
internal sealed partial class SimSilo
{
    private static readonly TimeSpan StatusDeadline = TimeSpan.FromSeconds(5);

    private long? _missing;

    /// <summary>When the last pass that went through had begun; null before the first.</summary>
    public long? ReconciledSince { get; private set; }

    private async Task ReconcileForEverAsync()
    {
        while (true)
        {
            var begun = _world.Scheduler.Now;
            try
            {
                await ReconcileAsync();
                ReconciledSince = begun;
            }
            catch (Exception error)
            {
                if (_world.Scheduler.Trace.IsOn) _world.Scheduler.Trace.Write(_world.Scheduler.Now, $"   {Process.Name}: reconciling failed: {error.Message}");
            }

            await Process.DelayAsync(15_000_000);
        }
    }

    private async Task ReconcileAsync()
    {
        if (_world.Bug == SeededBug.ServesBeforeAdoption) Adopt();
        foreach (var operation in await Operations.ListUnfinishedAsync(_machine.Name, CancellationToken.None))
        {
            try
            {
                await _world.StartDriverAsync(this, operation.Id);
            }
            catch (Exception error) when (error is FabricException or Orleans.Runtime.OrleansException or TimeoutException)
            {
                // The next pass asks again.
            }
        }

        foreach (var supervised in _peers.Values.ToList()) await CompareAsync(supervised);
        if (await Ownership.IsDeadAsync(_machine.Name, CancellationToken.None)) await Ownership.ReturnAsync(_machine.Name, CancellationToken.None);
        await RecordMissingAsync();
        await RemoveOrphansAsync();
    }

    private async Task CompareAsync(Supervised supervised)
    {
        var peer = supervised.Peer;
        PeerStatus? status = null;
        if (_world.Bug != SeededBug.RowReadBeforeStatus) status = await FindStatusAsync(supervised);
        var record = (await Vms.FindAsync(World.Vm, CancellationToken.None))!;
        var vm = record.Info;
        if (_world.Bug == SeededBug.RowReadBeforeStatus) status = await FindStatusAsync(supervised);
        if (_world.Bug == SeededBug.OperationIgnoredByReconciler) vm = vm with { Operation = null };
        if (supervised.Ended.IsCompleted) return;
        switch (InstanceRules.Judge(vm, _machine.Name, peer.Epoch, status, supervised.IsForsaken(status)))
        {
            case InstanceVerdict.Remove:
                await RemoveAsync(peer.Epoch, keepsDisk: !OrphanRules.IsOrphanDisk(record, _machine.Name, peer.Epoch));
                break;
            case InstanceVerdict.RollBack:
                await CallAsync(peer, () => peer.RollBackAsync(status!.Operation!));
                break;
            case InstanceVerdict.Run:
                await GrantAsync(supervised);
                await CallAsync(peer, () => peer.RunAsync(peer.Epoch));
                break;
            case InstanceVerdict.RecordRunning when peer.Process.IsAlive && peer.Exit is null:
                await Vms.SetStateAsync(World.Vm, peer.Epoch, status!.IsLive ? VmState.Running : VmState.Booting, null, null, CancellationToken.None);
                break;
            default:
                break;
        }

        if (vm.Operation is null && vm.Epoch == peer.Epoch && status is not null && OrphanRules.IsUnderrated(vm.State, status.State)) await CorrectStateAsync(peer, vm.State);
    }

    private async Task CorrectStateAsync(SimPeer peer, VmState recorded)
    {
        var status = await CallAsync(peer, () => Task.FromResult(peer.Status));
        if (!OrphanRules.IsUnderrated(recorded, status.State)) return;
        await Vms.SetStateAsync(World.Vm, peer.Epoch, status.IsLive ? VmState.Running : VmState.Booting, null, null, CancellationToken.None);
        if (!status.IsLive) _ = WatchLivenessAsync(peer);
    }

    private async Task<PeerStatus?> FindStatusAsync(Supervised supervised)
    {
        try
        {
            return await CallAsync(supervised.Peer, () => Task.FromResult(supervised.Peer.Status)).WaitAsync(StatusDeadline, Process.Time);
        }
        catch (Exception error) when (error is FabricException or TimeoutException)
        {
            return null;
        }
    }

    private async Task RecordMissingAsync()
    {
        var before = _missing;
        _missing = null;
        var vm = (await Vms.FindAsync(World.Vm, CancellationToken.None))!;
        var epoch = vm.Info.Epoch;
        if (vm.Info.Host != _machine.Name || !OrphanRules.IsMissing(vm, _peers.ContainsKey(epoch) || _starting.Contains(epoch))) return;
        if (ReconciledSince is null || before == epoch) await Vms.SetStateAsync(World.Vm, epoch, VmState.Failed, "its processes are gone", null, CancellationToken.None);
        else _missing = epoch;
    }

    private async Task RemoveOrphansAsync()
    {
        var own = (await Vms.FindAsync(World.Vm, CancellationToken.None))!;
        if (own.Info.Host == _machine.Name && own.DiskEpoch != own.Info.Epoch && OrphanRules.CanSettleDisk(own)
            && await Operations.ListAsync(World.Vm, 1, CancellationToken.None) is not [{ Outcome: OperationOutcome.Running }])
        {
            SettleDisk(own);
        }

        foreach (var epoch in _machine.Disks.Keys.ToList())
        {
            if (!OrphanRules.IsOrphanDisk(await Vms.FindAsync(World.Vm, CancellationToken.None), _machine.Name, epoch)) continue;
            if (_peers.ContainsKey(epoch)) continue;
            if (await Operations.ListAsync(World.Vm, 1, CancellationToken.None) is [{ Outcome: OperationOutcome.Running }]) continue;
            await RemoveAsync(epoch);
        }
    }
}
