using Architekt.Fabric.Peer;
using Architekt.Fabric.Simulation.Peers;

namespace Architekt.Fabric.Simulation.Hosts;

/// <content>Finding peers and clearing up after them, as <c>PeerSupervisor</c> does.</content>
internal sealed partial class SimSilo
{
    private readonly Dictionary<long, Supervised> _peers = [];

    /// <summary>Peers there are now.</summary>
    public IEnumerable<Supervised> Peers => _peers.Values;

    public void StartTheVm(long epoch)
    {
        _machine.Disks[epoch] = new SimDisk();
        var supervised = new Supervised(_machine.CreateInstance(epoch));
        _peers[epoch] = supervised;
        if (_world.HasLease) _world.Tables.Renew(_machine.Name, [epoch], World.LeaseDuration, compares: true);
        supervised.Peer.StartAsOwner(_machine.Clock.Now + World.LeaseDuration);
    }

    /// <summary>The kernel tells of the end of a process.</summary>
    public void HearOfTheEnd(SimPeer peer) => _world.Scheduler.After(_world.Scheduler.Pick(100, 5_000), Process, () =>
    {
        if (_peers.TryGetValue(peer.Epoch, out var supervised) && supervised.Peer == peer) _ = ClearUpAsync(supervised);
    });

    private void Adopt()
    {
        foreach (var (epoch, peer) in _machine.Instances)
        {
            if (_peers.ContainsKey(epoch)) continue;
            var supervised = new Supervised(peer, isFound: true);
            _peers[epoch] = supervised;
            if (peer.Process.IsAlive && !peer.IsLive && peer.Status.State == PeerState.Running) _ = WatchLivenessAsync(peer);
            if (!peer.Process.IsAlive) _ = ClearUpAsync(supervised);
        }
    }

    private async Task ClearUpAsync(Supervised supervised)
    {
        var peer = supervised.Peer;
        var kind = peer.Exit ?? PeerExitKind.Crashed;
        await Process.DelayAsync(_world.Scheduler.Pick(500, 5_000));
        peer.Guest.Kill();
        if (kind is PeerExitKind.ShutDown or PeerExitKind.Killed or PeerExitKind.Suspended) await RecordAsync(peer.Epoch, VmState.Stopped, "it ended as it was asked to");
        else if (kind == PeerExitKind.Crashed) await RecordAsync(peer.Epoch, VmState.Failed, "its peer or its QEMU ended unexpectedly");
        else _machine.Disks.Remove(peer.Epoch);

        if (_machine.Instances.GetValueOrDefault(peer.Epoch) == peer) _machine.Instances.Remove(peer.Epoch);
        _peers.Remove(peer.Epoch);
        supervised.MarkEnded();
    }

    private async Task RecordAsync(long epoch, VmState state, string reason)
    {
        while (true)
        {
            try
            {
                var vm = (await Vms.FindAsync(World.Vm, CancellationToken.None))!.Info;
                if (vm.Host == _machine.Name) await Vms.SetStateAsync(World.Vm, epoch, state, reason, null, CancellationToken.None);
                return;
            }
            catch (FabricException error) when (error.IsTransient)
            {
                await Process.DelayAsync(1_000_000);
            }
        }
    }
}
