using Architekt.Fabric.Grains;
using Architekt.Fabric.Silo.Ownership;
using Architekt.Fabric.Silo.Reconciliation;
using Architekt.Fabric.Simulation.Bugs;
using Architekt.Fabric.Simulation.Histories;
using Architekt.Fabric.Simulation.Peers;

namespace Architekt.Fabric.Simulation.Hosts;

/// <content>Leases, take-overs and restarts, as <c>LeaseKeeper</c>, <c>TakeoverService</c> and <c>RestartService</c> do them, around the real <see cref="LeaseWatch"/> and <see cref="RestartPolicy"/>.</content>
internal sealed partial class SimSilo
{
    private const long LeaseLook = 1_000_000;
    private const long OwnershipLook = 2_000_000;
    private static readonly TimeSpan LeaseRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PeerTold = TimeSpan.FromSeconds(2);
    private readonly HashSet<long> _starting = [];
    private readonly LeaseWatch _watch;

    private void StartOwnership()
    {
        if (_world.HasLease) _ = KeepLeasesAsync();
        _world.Scheduler.After(_world.Scheduler.Pick(0, OwnershipLook), Process, () => _ = RepeatAsync(TakeOverAsync));
        _world.Scheduler.After(_world.Scheduler.Pick(0, OwnershipLook), Process, () => _ = RepeatAsync(RestartAsync));
    }

    private async Task RepeatAsync(Func<Task> look)
    {
        while (true)
        {
            try
            {
                await look();
            }
            catch (FabricException error)
            {
                if (_world.Scheduler.Trace.IsOn) _world.Scheduler.Trace.Write(_world.Scheduler.Now, $"   {Process.Name}: looking after VMs failed: {error.Message}");
            }

            await Process.DelayAsync(OwnershipLook);
        }
    }

    private async Task KeepLeasesAsync()
    {
        var next = TimeSpan.Zero;
        var known = new HashSet<Supervised>();
        while (true)
        {
            var leased = _peers.Values.Where(static peer => !peer.Ended.IsCompleted).ToHashSet();
            if (leased.Count > 0 && (_machine.Clock.Now >= next || !leased.IsSubsetOf(known)))
            {
                try
                {
                    next = _machine.Clock.Now + (World.LeaseDuration / 3);
                    await RenewAsync(leased);
                }
                catch (FabricException)
                {
                    next = _machine.Clock.Now + LeaseRetry;
                }

                known = leased;
            }

            await Process.DelayAsync(LeaseLook);
        }
    }

    private async Task RenewAsync(IReadOnlyCollection<Supervised> leased)
    {
        var until = _machine.Clock.Now + World.LeaseDuration;
        var own = await AskRenewalAsync([.. leased.Select(static supervised => supervised.Peer.Epoch)]);
        if (_world.Bug == SeededBug.LeaseCountedFromAnswer) until = _machine.Clock.Now + World.LeaseDuration;
        await Task.WhenAll(leased.Where(supervised => own.Contains(supervised.Peer.Epoch)).Select(supervised => TellAsync(supervised, until)));
    }

    private async Task TellAsync(Supervised supervised, TimeSpan until)
    {
        try
        {
            await CallAsync(supervised.Peer, () => supervised.Peer.ExtendLeaseAsync(supervised.Peer.Epoch, until)).WaitAsync(PeerTold, Process.Time);
        }
        catch (Exception error) when (error is FabricException or TimeoutException)
        {
            // Its guest stops when its time is over.
        }
    }

    /// <summary>A guest is about to run: its lease, if it needs one.</summary>
    private async Task GrantAsync(Supervised supervised)
    {
        if (!_world.HasLease) return;
        var (peer, until) = (supervised.Peer, _machine.Clock.Now + World.LeaseDuration);
        if (!(await AskRenewalAsync([peer.Epoch])).Contains(peer.Epoch)) throw FabricException.StaleEpoch($"it has changed hands since epoch {peer.Epoch}");
        await CallAsync(peer, () => peer.ExtendLeaseAsync(peer.Epoch, until));
    }

    private Task<IReadOnlyList<long>> AskRenewalAsync(long[] epochs) => AskAsync(
        Point.Renew, () => _world.Tables.Renew(_machine.Name, epochs, World.LeaseDuration, compares: _world.Bug != SeededBug.RenewedWithoutCompare));

    private async Task TakeOverAsync()
    {
        var seen = await AskAsync(Point.LookForLeases, () => _world.Tables.ListForeign(_machine.Name));
        var due = _watch.Observe(seen, _machine.Clock.Now);
        if (_world.Bug == SeededBug.TrustsDatabaseClock) due = [.. seen.Select(static lease => (lease, TimeSpan.Zero))];
        if (due.Count > 0 && await AskAsync(Point.Other, () => _world.Tables.IsDead(_machine.Name))) return;
        foreach (var (lease, _) in due)
        {
            if (await AskAsync(Point.Claim, () => Claim(lease)) is { } claimed) await StartAsync(claimed);
        }
    }

    private VmRecord? Claim(LeaseSighting lease)
    {
        var margin = _world.Bug == SeededBug.NoMargin ? TimeSpan.Zero : World.LeaseMargin;
        var claimed = _world.Tables.Claim(lease, _machine.Name, margin, World.LeaseDuration, compares: _world.Bug != SeededBug.ClaimedWithoutCompare);
        if (claimed is not null) _world.Observer.BeginsAsPackaged();
        return claimed;
    }

    private async Task RestartAsync()
    {
        if (await AskAsync(Point.Other, () => _world.Tables.FindFailed(_machine.Name)) is not { } failed || _peers.ContainsKey(failed.Vm.Info.Epoch)) return;
        var decision = RestartPolicy.Decide(failed);
        if (!decision.IsDue) return;
        var restarted = await AskAsync(Point.Restart, () =>
        {
            var vm = _world.Tables.Restart(failed, decision.Restarts, DiskEpochOf(failed.Vm));
            if (vm is not null) _world.Observer.BeginsAnew();
            return vm;
        });
        if (restarted is not null) await StartAsync(restarted);
    }

    /// <summary>What <c>VmStarter</c> does: from its disk where that is here, else from its package.</summary>
    private async Task StartAsync(VmRecord vm)
    {
        var epoch = vm.Info.Epoch;
        try
        {
            await StartAsync(epoch, isAgain: _machine.Disks.ContainsKey(DiskEpochOf(vm)));
        }
        catch (Exception error) when (error is FabricException)
        {
            await Vms.SetStateAsync(World.Vm, epoch, VmState.Failed, error.Message, null, CancellationToken.None);
            return;
        }

        await Vms.SetStateAsync(World.Vm, epoch, VmState.Booting, null, null, CancellationToken.None);
    }

    /// <summary>Starts the VM from its disk, because somebody has asked for it.</summary>
    public Task<bool> StartAsync(long epoch) => StartAsync(epoch, isAgain: true);

    public async Task<bool> StopAsync(long epoch, bool force)
    {
        var supervised = Require(epoch);
        await CallAsync(supervised.Peer, () => supervised.Peer.StopAsync(epoch, force));
        if (force) await supervised.Ended;
        return true;
    }

    /// <summary>What <c>HostRuntime.StartAsync</c> does.</summary>
    private async Task<bool> StartAsync(long epoch, bool isAgain)
    {
        _starting.Add(epoch);
        try
        {
            await BootAsync(epoch, isAgain);
            return true;
        }
        finally
        {
            _starting.Remove(epoch);
        }
    }

    private async Task BootAsync(long epoch, bool isAgain)
    {
        if (Find(epoch) is { } present)
        {
            if (present.Peer is { Exit: null, Process.IsAlive: true }) return;
            await present.Ended;
        }

        var vm = (await Vms.FindAsync(World.Vm, CancellationToken.None))!;
        if (StartRules.Refusal(vm.Info, _machine.Name, epoch) is { } refusal && _world.Bug != SeededBug.StartsWhileMoved) throw FabricException.StaleEpoch(refusal);
        SettleDisk(vm);
        if (isAgain && !_machine.Disks.ContainsKey(epoch)) throw FabricException.NotFound("Its disk is not here any more.");
        var supervised = await LaunchAsync(epoch, keepsDisk: isAgain);
        try
        {
            await GrantAsync(supervised);
            await CallAsync(supervised.Peer, () => supervised.Peer.BootAsync(epoch));
        }
        catch
        {
            await RemoveAsync(epoch, keepsDisk: isAgain);
            throw;
        }

        _ = WatchLivenessAsync(supervised.Peer);
    }

    private void SettleDisk(VmRecord vm)
    {
        var from = DiskEpochOf(vm);
        if (from != vm.Info.Epoch && _machine.Disks.Remove(from, out var disk)) _machine.Disks[vm.Info.Epoch] = disk;
    }

    /// <summary>The guest says that it is up; as <c>PeerSupervisor</c> hears it.</summary>
    private async Task WatchLivenessAsync(SimPeer peer)
    {
        try
        {
            while (!peer.IsLive)
            {
                await Process.DelayAsync(250_000);
                if (peer.Exit is not null || !peer.Process.IsAlive) return;
                if ((await Vms.FindAsync(World.Vm, CancellationToken.None))!.Info.State != VmState.Booting) return;
            }

            await RecordAsync(peer.Epoch, VmState.Running, "it is up");
        }
        catch (FabricException)
        {
            // The reconciler says so.
        }
    }

    private long DiskEpochOf(VmRecord vm) => _machine.Disks.Keys.Where(epoch => OrphanRules.IsDiskOf(vm, epoch)).DefaultIfEmpty(vm.DiskEpoch).Max();

    private Task<T> AskAsync<T>(Point point, Func<T> statement) =>
        _world.Postgres.AskAsync(point, Process, _machine.Index, statement, CancellationToken.None);
}
