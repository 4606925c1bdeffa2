using Architekt.Fabric.Peer;
using Architekt.Fabric.Simulation.Bugs;
using Architekt.Fabric.Simulation.Peers;
using Architekt.Fabric.Simulation.Scheduling;

namespace Architekt.Fabric.Simulation.Hosts;

/// <summary>A host's machine: what survives its silo.</summary>
internal sealed class SimMachine
{
    private readonly World _world;
    private int _starts;
    private bool _isSuspended;

    public SimMachine(World world, int index)
    {
        _world = world;
        Index = index;
        Name = $"host-{(char)('a' + index)}";
        Clock = new SimClock(world.Scheduler, world.Scheduler.Pick(950, 1_051));
        Silo = new SimSilo(world, this, ++_starts);
    }

    public int Index { get; }

    public string Name { get; }

    public SimClock Clock { get; }

    /// <summary>The silo that runs here, or ran last.</summary>
    public SimSilo Silo { get; private set; }

    /// <summary>Instances by epoch: each has a folder until somebody has cleared up after it.</summary>
    public Dictionary<long, SimPeer> Instances { get; } = [];

    /// <summary>Disks by epoch.</summary>
    public Dictionary<long, SimDisk> Disks { get; } = [];

    /// <summary>Packages that were made here, by name.</summary>
    public Dictionary<string, Draft> Packages { get; } = [];

    /// <summary>Packages that are being made, and what was left of them.</summary>
    public List<Draft> Drafts { get; } = [];

    /// <summary>Whether an operator has switched it off.</summary>
    public bool IsOff { get; private set; }

    public SimPeer CreateInstance(long epoch)
    {
        var peer = new SimPeer(_world, this, epoch);
        Instances[epoch] = peer;
        if (Disks.TryGetValue(epoch, out var disk)) peer.Guest.Disk = disk;
        peer.Process.WhenKilled(() => Silo.HearOfTheEnd(peer));
        return peer;
    }

    public void KillSilo(long downtime)
    {
        if (!Silo.Process.IsAlive) return;
        Silo.Process.Kill();
        Trace("silo is killed");
        _world.Scheduler.After(downtime, null, StartSilo);
    }

    public void StopSilo(long duration)
    {
        var silo = Silo;
        if (!silo.Process.IsAlive || silo.Process.IsStopped) return;
        silo.Process.Stop();
        silo.StoppedSince = _world.Scheduler.Now;
        Trace("silo is stopped");
        _world.Scheduler.After(duration, null, () => ContinueSilo(silo));
    }

    public void StartSilo()
    {
        if (Silo.Process.IsAlive || _isSuspended || IsOff) return;
        Silo = new SimSilo(_world, this, ++_starts);
        Trace("silo is started");
        Silo.Start();
    }

    public void KillPeers()
    {
        foreach (var peer in Instances.Values.Where(static peer => peer.Process.IsAlive).ToList())
        {
            Trace($"peer {peer.Epoch} is killed");
            _world.Observer.Killed.Add((Name, peer.Epoch));
            peer.Process.Kill();
        }
    }

    public void StopPeers(long duration)
    {
        foreach (var peer in Instances.Values.Where(static peer => peer.Process is { IsAlive: true, IsStopped: false }))
        {
            Trace($"peer {peer.Epoch} is stopped");
            peer.Process.Stop();
            _world.Scheduler.After(duration, null, () => Continue(peer));
        }
    }

    public void KillQemus()
    {
        foreach (var peer in Instances.Values.Where(static peer => peer.Guest.IsAlive).ToList())
        {
            Trace($"QEMU {peer.Epoch} is killed");
            _world.Observer.Killed.Add((Name, peer.Epoch));
            peer.Guest.Kill();
            _world.Scheduler.After(_world.Scheduler.Pick(500, 10_000), peer.Process, () => peer.End(PeerExitKind.Crashed));
        }
    }

    public void KillEverything(long downtime)
    {
        Trace("loses its power");

        // It does not stand still any more, either.
        _isSuspended = false;
        KillSilo(downtime);
        KillPeers();
        foreach (var peer in Instances.Values)
        {
            if (peer.Guest.IsAlive) _world.Observer.Killed.Add((Name, peer.Epoch));
            peer.Guest.Kill();
        }
    }

    /// <summary>An operator switches it off: nothing of what ran is left, not even the folders it had in memory.</summary>
    public void SwitchOff()
    {
        IsOff = true;
        KillEverything(0);
        Instances.Clear();
    }

    public void SwitchOn()
    {
        IsOff = false;
        Trace("is switched on");
        StartSilo();
    }

    /// <summary>The host stands still with all that is on it, as one that is itself suspended.</summary>
    public void Suspend(long duration)
    {
        if (_isSuspended || IsOff) return;
        Trace("is suspended");
        StopSilo(duration);
        StopPeers(duration);
        foreach (var peer in Instances.Values) peer.Guest.Freeze();
        _isSuspended = true;
        _world.Scheduler.After(duration, null, Wake);
    }

    /// <summary>Everybody who was stopped goes on, and whoever is missing comes back.</summary>
    public void Heal()
    {
        Wake();
        if (Silo.Process.IsStopped) ContinueSilo(Silo);
        foreach (var peer in Instances.Values) Continue(peer);
        StartSilo();
    }

    /// <summary>The kernel's timers first: whoever should have been killed meanwhile never runs again.</summary>
    private void Wake()
    {
        if (!_isSuspended) return;
        _isSuspended = false;
        Trace("wakes");
        foreach (var peer in Instances.Values) peer.Guest.Thaw(_world.Bug == SeededBug.SwitchSleeps);
        ContinueSilo(Silo);
        foreach (var peer in Instances.Values) Continue(peer);
        StartSilo();
    }

    private void Continue(SimPeer peer)
    {
        if (!peer.Process.IsStopped || _isSuspended) return;
        Trace($"peer {peer.Epoch} is continued");
        peer.Process.Continue();
    }

    private void ContinueSilo(SimSilo silo)
    {
        if (!silo.Process.IsAlive || !silo.Process.IsStopped || _isSuspended) return;
        Trace("silo is continued");
        silo.Process.Continue();

        // Orleans ends a silo that finds itself declared dead; until then it acts.
        if (silo.IsDeclaredDead) _world.Scheduler.After(_world.Scheduler.Pick(0, 2_000_000), null, () => EndDeclaredDead(silo));
        silo.StoppedSince = null;
    }

    private void EndDeclaredDead(SimSilo silo)
    {
        if (ReferenceEquals(Silo, silo)) KillSilo(1_000_000);
    }

    private void Trace(string what)
    {
        if (_world.Scheduler.Trace.IsOn) _world.Scheduler.Trace.Write(_world.Scheduler.Now, $"   {Name}: {what}");
    }
}
