using Architekt.Fabric.Peer;
using Architekt.Fabric.Silo.Reconciliation;
using Architekt.Fabric.Simulation.Bugs;

namespace Architekt.Fabric.Simulation.Hosts;

/// <content>The reconciler, around the real <see cref="InstanceRules"/>.</content>
internal sealed partial class SimSilo
{
    private static readonly TimeSpan StatusDeadline = TimeSpan.FromSeconds(5);

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
        await RecordMissingAsync();
        await RemoveOrphansAsync();
    }

    private async Task CompareAsync(Supervised supervised)
    {
        var peer = supervised.Peer;
        PeerStatus? status = null;
        if (_world.Bug != SeededBug.RowReadBeforeStatus) status = await FindStatusAsync(supervised);
        var vm = (await Vms.FindAsync(World.Vm, CancellationToken.None))!.Info;
        if (_world.Bug == SeededBug.RowReadBeforeStatus) status = await FindStatusAsync(supervised);
        if (_world.Bug == SeededBug.OperationIgnoredByReconciler) vm = vm with { Operation = null };
        if (supervised.Ended.IsCompleted) return;
        switch (InstanceRules.Judge(vm, _machine.Name, peer.Epoch, status))
        {
            case InstanceVerdict.Remove:
                await RemoveAsync(peer.Epoch);
                break;
            case InstanceVerdict.RollBack:
                await CallAsync(peer, () => peer.RollBackAsync(status!.Operation!));
                break;
            case InstanceVerdict.Run:
                await CallAsync(peer, () => peer.RunAsync(peer.Epoch));
                break;
            case InstanceVerdict.RecordRunning when peer.Process.IsAlive && peer.Exit is null:
                await Vms.SetStateAsync(World.Vm, peer.Epoch, VmState.Running, null, null, CancellationToken.None);
                break;
            default:
                break;
        }
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
        var vm = (await Vms.FindAsync(World.Vm, CancellationToken.None))!.Info;
        if (vm.Host != _machine.Name || vm.State is VmState.Stopped or VmState.Failed || vm.Operation is not null || _peers.ContainsKey(vm.Epoch)) return;
        await Vms.SetStateAsync(World.Vm, vm.Epoch, VmState.Failed, "its processes are gone", null, CancellationToken.None);
    }

    private async Task RemoveOrphansAsync()
    {
        foreach (var epoch in _machine.Disks.ToList())
        {
            var vm = (await Vms.FindAsync(World.Vm, CancellationToken.None))!.Info;
            if (vm.Operation is not null || (vm.Host == _machine.Name && vm.Epoch == epoch)) continue;
            if (_peers.ContainsKey(epoch)) continue;
            if (await Operations.ListAsync(World.Vm, 1, CancellationToken.None) is [{ Outcome: OperationOutcome.Running }]) continue;
            await RemoveAsync(epoch);
        }
    }
}
