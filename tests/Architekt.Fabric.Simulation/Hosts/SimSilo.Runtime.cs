using Architekt.Fabric.Grains;
using Architekt.Fabric.Silo.Reconciliation;
using Architekt.Fabric.Simulation.Bugs;
using Architekt.Fabric.Simulation.Peers;

namespace Architekt.Fabric.Simulation.Hosts;

/// <content>The host's part in migrations, as <c>HostRuntime</c> plays it.</content>
internal sealed partial class SimSilo
{
    public async Task<IReadOnlyList<string>> CheckSourceAsync(MigrationPlan plan) => plan.IsStopped ? await CheckStoppedSourceAsync(plan) :
        Find(plan.Epoch) is null ? [$"'{plan.Vm}' does not run on '{_machine.Name}' with epoch {plan.Epoch}"] : [];

    public async Task<IReadOnlyList<string>> FindBasesAsync(MigrationPlan plan)
    {
        var peer = Require(plan.Epoch).Peer;
        await CallAsync(peer, () => Task.FromResult(peer.Status));
        return [];
    }

    public async Task<IncomingOffer> PrepareAsync(MigrationPlan plan)
    {
        var vm = (await Vms.FindAsync(plan.Vm, CancellationToken.None))!.Info;
        if (vm.Epoch != plan.Epoch || vm.Operation != plan.Operation)
            throw FabricException.StaleEpoch($"Migration '{plan.Operation}' of '{plan.Vm}' is over.");
        var present = Find(plan.NextEpoch);
        try
        {
            var peer = (present ?? await LaunchAsync(plan.NextEpoch)).Peer;
            await CallAsync(peer, () => peer.ReceiveAsync(plan.Operation));
            return new IncomingOffer(_machine.Name, peer.Number, "memory", "state", 0, "");
        }
        catch
        {
            if (present is null) await RemoveAsync(plan.NextEpoch);
            else await RemoveIfUnclaimedAsync(plan, present);
            throw;
        }
    }

    public Task<bool> StartCopyAsync(MigrationPlan plan, IncomingOffer offer)
    {
        var peer = Require(plan.Epoch).Peer;
        return CallAsync(peer, () => peer.CopyAsync(plan.Operation, _world.Peers[offer.Port]));
    }

    public async Task<TransferStatus> GetTransferAsync(MigrationPlan plan, long afterVersion)
    {
        var peer = Require(plan.Epoch).Peer;
        var (version, isConverged, error) = await CallAsync(peer, () => peer.WaitTransferAsync(afterVersion));
        return new TransferStatus(version, isConverged, error, TransferCounters.None, 0, 0, 0);
    }

    public Task<bool> SuspendAsync(MigrationPlan plan)
    {
        var peer = Require(plan.Epoch).Peer;
        return CallAsync(peer, () => peer.SuspendAsync(plan.Operation));
    }

    public async Task<SwitchReport> SwitchAsync(MigrationPlan plan)
    {
        var peer = Require(plan.Epoch).Peer;
        await CallAsync(peer, () => peer.SwitchAsync(plan.Operation));
        return new SwitchReport(0, 0, 0, 0, 0, TransferCounters.None, null);
    }

    public async Task<LoadReport> WaitLoadedAsync(MigrationPlan plan, int waitMs)
    {
        var peer = Require(plan.NextEpoch).Peer;
        var (isLoaded, error) = await CallAsync(peer, () => peer.WaitLoadedAsync(waitMs));
        if (isLoaded && _world.Bug != SeededBug.CommitWithoutConfirmation) await ConfirmLoadedAsync(plan);
        return new LoadReport(isLoaded, error, 0, null);
    }

    public Task<bool> ConfirmLoadedAsync(MigrationPlan plan) => (plan.IsStopped ? _machine.Disks.ContainsKey(plan.NextEpoch) : Find(plan.NextEpoch) is { Peer: { Exit: null, Process.IsAlive: true, Guest.IsAlive: true } })
        ? Task.FromResult(true)
        : throw new FabricException(FabricErrorCode.Failed, "its peer or QEMU has ended");

    public async Task<RunReport> RunAsync(MigrationPlan plan, bool isRehearsal)
    {
        var supervised = Require(plan.NextEpoch);
        var peer = supervised.Peer;
        if (!isRehearsal) await GrantAsync(supervised);
        await CallAsync(peer, () => isRehearsal ? peer.RehearseRunAsync(plan.NextEpoch) : peer.RunAsync(plan.NextEpoch));
        return new RunReport(0, 0);
    }

    public async Task<int> ReleaseAsync(MigrationPlan plan)
    {
        if (plan.IsStopped)
        {
            _exports.Remove(plan.Operation);
            await RemoveAsync(plan.Epoch);
            return 0;
        }

        if (Find(plan.Epoch) is not { } supervised) return 0;
        await CallAsync(supervised.Peer, () => supervised.Peer.ReleaseAsync(plan.Operation));
        await supervised.Ended;
        return 0;
    }

    public async Task<bool> RollBackAsync(MigrationPlan plan)
    {
        if (plan.IsStopped) _exports.Remove(plan.Operation);
        else if (Find(plan.Epoch) is { } supervised)
            await CallAsync(supervised.Peer, () => supervised.Peer.RollBackAsync(plan.Operation));
        return true;
    }

    public async Task<bool> DiscardAsync(MigrationPlan plan)
    {
        if (plan.IsStopped)
        {
            await EndFetchAsync(plan.Operation);
            await RemoveIfUnclaimedAsync(plan, instance: null);
            return true;
        }

        if (Find(plan.NextEpoch) is not { } supervised) return true;
        try
        {
            await CallAsync(supervised.Peer, () => supervised.Peer.DiscardAsync(plan.Operation));
            await supervised.Ended.WaitAsync(TimeSpan.FromSeconds(5), Process.Time);
        }
        catch (Exception error) when (error is FabricException or TimeoutException)
        {
            await RemoveIfUnclaimedAsync(plan, supervised);
        }

        return true;
    }

    private async Task RemoveIfUnclaimedAsync(MigrationPlan plan, Supervised? instance)
    {
        var vm = (await Vms.FindAsync(plan.Vm, CancellationToken.None))!.Info;
        if (vm.Operation == plan.Operation) vm = vm with { Operation = null };
        if (InstanceRules.Judge(vm, _machine.Name, plan.NextEpoch, status: null) == InstanceVerdict.Remove && Find(plan.NextEpoch) == instance)
            await RemoveAsync(plan.NextEpoch);
    }

    private Supervised? Find(long epoch) => _peers.GetValueOrDefault(epoch);

    private Supervised Require(long epoch) => Find(epoch)
        ?? throw (_peers.Count == 0
            ? FabricException.NotFound($"'{World.Vm}' is not running on '{_machine.Name}'.")
            : FabricException.StaleEpoch($"'{World.Vm}' is on '{_machine.Name}' with another epoch than {epoch}."));

    private async Task<Supervised> LaunchAsync(long epoch, bool keepsDisk = false)
    {
        try
        {
            if (!keepsDisk) _machine.Disks[epoch] = new SimDisk();
            await Process.DelayAsync(_world.Scheduler.Pick(2_000, 10_000));
            if (_machine.Instances.ContainsKey(epoch)) throw FabricException.Conflict($"There is an instance with epoch {epoch} on '{_machine.Name}' already.");
            var supervised = new Supervised(_machine.CreateInstance(epoch));
            _peers[epoch] = supervised;
            await CallAsync(supervised.Peer, () => Task.FromResult(supervised.Peer.Status));
            return supervised;
        }
        catch
        {
            await RemoveAsync(epoch, keepsDisk);
            throw;
        }
    }

    private async Task RemoveAsync(long epoch, bool keepsDisk = false)
    {
        if (_peers.TryGetValue(epoch, out var supervised))
        {
            supervised.Peer.Process.Kill();
            await supervised.Ended;
        }

        if (!keepsDisk) _machine.Disks.Remove(epoch);
    }
}
