using Architekt.Fabric.Peer;
using Architekt.Fabric.Simulation.Bugs;
using Architekt.Fabric.Simulation.Hosts;
using Architekt.Fabric.Simulation.Scheduling;

namespace Architekt.Fabric.Simulation.Peers;

/// <summary>A peer: what <c>PeerService</c> does in the order it does it, behind the real <see cref="PeerGate"/>.</summary>
internal sealed partial class SimPeer : IDisposable
{
    private readonly World _world;
    private readonly SimMachine _machine;
    private readonly SimLock _lock = new();
    private readonly TaskCompletionSource _loaded = new();
    private readonly SimLease? _lease;
    private Outgoing? _outgoing;
    private string? _incoming;
    private PeerState _state;
    private bool _isLoaded;
    private bool _hasRun;
    private long _liveAt;

    public SimPeer(World world, SimMachine machine, long epoch)
    {
        _world = world;
        _machine = machine;
        Epoch = epoch;
        Number = world.Peers.Count;
        world.Peers.Add(this);
        Process = new SimProcess(world.Scheduler, $"peer {epoch} on {machine.Name}");
        Guest = new SimGuest(world.Scheduler, world.Observer, machine.Name, epoch);
        Guest.Died += () => world.Scheduler.After(world.Scheduler.Pick(500, 10_000), Process, () => End(PeerExitKind.Crashed));
        if (world.HasLease) _lease = new SimLease(world, this);
    }

    public long Epoch { get; }

    /// <summary>Whether its guest has said that it is up.</summary>
    public bool IsLive => _world.Scheduler.Now >= _liveAt;

    /// <summary>Its address: no other instance ever had it.</summary>
    public int Number { get; }

    public SimMachine Machine => _machine;

    public SimProcess Process { get; }

    public SimGuest Guest { get; }

    /// <summary>When it or its QEMU ended; null while both live.</summary>
    public long? LostAt => Process.EndedAt is { } peer && Guest.EndedAt is { } qemu ? Math.Min(peer, qemu) : Process.EndedAt ?? Guest.EndedAt;

    /// <summary>Written down, so that whoever finds the instance knows.</summary>
    public long Granted { get; private set; }

    /// <summary>Why it ended; null if it could not say.</summary>
    public PeerExitKind? Exit { get; private set; }

    public PeerStatus Status => new(
        World.Vm, Epoch, Granted, _outgoing is { IsHandedOver: true } && _state == PeerState.Running ? PeerState.HandedOver : _state,
        IsLive, _outgoing?.Operation ?? (_hasRun ? null : _incoming), 0);

    /// <summary>Whether the guest is to run, apart from its lease.</summary>
    public bool IsToRun => _state == PeerState.Running && _outgoing is not { IsHandedOver: true };

    /// <summary>Whether the guest can be stopped now and go on later.</summary>
    public bool CanStop => _state != PeerState.Switching;

    private PeerGate Gate => new(World.Vm, _machine.Name, Epoch, Granted, _state, _outgoing?.Operation, _incoming, _isLoaded, _hasRun);

    /// <param name="leaseUntil">Until when, where it needs a lease.</param>
    public void StartAsOwner(TimeSpan leaseUntil) => Process.Run(
        state =>
        {
            Granted = Epoch;
            _state = PeerState.Running;
            if (_lease is not null) _ = _lease.ExtendAsync(leaseUntil);
            _lease?.Attach();
            _ = LeasedAsync(RunGuestAsync);
        },
        null);

    public Task<bool> ExtendLeaseAsync(long epoch, TimeSpan until)
    {
        Admits(Gate.ForEpoch(epoch));
        return _state == PeerState.Ended ? throw Conflict($"'{World.Vm}' has ended.") : _lease!.ExtendAsync(until);
    }

    public Task<bool> BootAsync(long epoch) => LockedAsync(async () =>
    {
        if (!Admits(Gate.Boot(epoch))) return true;
        if (_lease is { IsInForce: false }) throw Conflict("It has no lease.");
        await Process.DelayAsync(_world.Scheduler.Pick(50_000, 200_000));
        RequireGuest();
        Guest.ReadDisk();
        _liveAt = _world.Scheduler.Now + _world.Scheduler.Pick(20_000, 400_000);
        _lease?.Attach();
        await LeasedAsync(() =>
        {
            Granted = Epoch;
            return RunGuestAsync();
        });
        _state = PeerState.Running;

        _world.Observer.Started(_machine.Name, Epoch);
        return true;
    });

    /// <summary>Lets the guest go on that was stopped for something else.</summary>
    public Task GoOnAsync()
    {
        if (_lease is not null) return _lease.GoOnAsync(Guest.Run);
        Guest.Run();
        return Task.CompletedTask;
    }

    public Task<SimPeer> ReceiveAsync(string operation) => LockedAsync(async () =>
    {
        if (!Admits(Gate.Receive(operation))) return this;
        await Process.DelayAsync(_world.Scheduler.Pick(20_000, 80_000));
        _lease?.Attach();
        _incoming = operation;
        _state = PeerState.Incoming;
        return this;
    });

    public async Task<(bool IsLoaded, string? Error)> WaitLoadedAsync(int waitMs)
    {
        if (_incoming is null) throw Conflict("No migration to this instance is under way.");
        if (waitMs > 0 && !_isLoaded) await Task.WhenAny(_loaded.Task, Process.DelayAsync(waitMs * 1000L));
        return (_isLoaded, _isLoaded || Guest.IsAlive ? null : "QEMU ended");
    }

    public Task<bool> RehearseRunAsync(long epoch) => Task.FromResult(Admits(Gate.ForEpoch(epoch)));

    public Task<bool> RunAsync(long epoch) => LockedAsync(async () =>
    {
        if (!Admits(Gate.Run(epoch))) return true;
        await LeasedAsync(async () =>
        {
            Granted = Epoch;
            await Process.DelayAsync(_world.Scheduler.Pick(200, 1_500));
            RequireGuest();
            await RunGuestAsync();
            _state = PeerState.Running;
            return true;
        });
        _hasRun = true;
        return true;
    });

    public Task<bool> DiscardAsync(string operation)
    {
        Admits(Gate.Discard(operation));
        End(PeerExitKind.Discarded);
        return Task.FromResult(true);
    }

    public Task<bool> CopyAsync(string operation, SimPeer destination) => LockedAsync(() =>
    {
        if (Admits(Gate.Copy(operation))) _outgoing = new Outgoing(this, destination, operation, _world);
        return Task.FromResult(true);
    });

    public async Task<(long Version, bool IsConverged, string? Error)> WaitTransferAsync(long after)
    {
        var outgoing = _outgoing ?? throw Conflict("No migration away is under way.");
        await outgoing.WaitBeyondAsync(after);
        return outgoing.Latest;
    }

    public Task<bool> SuspendAsync(string operation) => LockedAsync(async () =>
    {
        Admits(Gate.Continue(operation));
        await Process.DelayAsync(_world.Scheduler.Pick(500, 5_000));
        return _world.Scheduler.Chance(2) ? throw new FabricException(FabricErrorCode.Refused, "the guest said no") : true;
    });

    public Task<bool> SwitchAsync(string operation) => LockedAsync(async () =>
    {
        Admits(Gate.Continue(operation));
        if (_lease is { IsStopped: true }) throw Conflict("It stands still: its lease has run out.");
        var outgoing = _outgoing!;
        _state = PeerState.Switching;
        try
        {
            await outgoing.SwitchAsync();
            _state = PeerState.HandedOver;
            return true;
        }
        catch
        {
            if (outgoing.IsHandedOver && _world.Bug != SeededBug.SourceGoesOnAfterHandOver)
            {
                _state = PeerState.HandedOver;
                throw;
            }

            await outgoing.UndoAsync();
            ForgetOutgoing();
            throw;
        }
    });

    public Task<bool> RollBackAsync(string operation) => LockedAsync(async () =>
    {
        if (!Admits(Gate.RollBack(operation))) return true;
        await _outgoing!.UndoAsync();
        ForgetOutgoing();
        return true;
    });

    public Task<bool> ReleaseAsync(string operation) => LockedAsync(async () =>
    {
        Admits(Gate.Continue(operation));
        await Process.DelayAsync(_world.Scheduler.Pick(100, 3_000));
        End(PeerExitKind.Released);
        return true;
    });

    /// <summary>The FLUSH of the device state: answered once QEMU has loaded everything. By then the disk is mirrored.</summary>
    public async Task LoadAsync(SimDisk disk)
    {
        var content = disk.Content;
        await Process.DelayAsync(_world.Scheduler.Pick(1_000, 6_000));
        RequireGuest();
        Guest.Disk.Content = content;
        _isLoaded = true;
        _loaded.TrySetResult();
        if (_world.Bug == SeededBug.ContinueWithoutGrant) Guest.Run();
    }

    public Task ReceivePagesAsync(int[] pages, long[] contents)
    {
        RequireGuest();
        for (var i = 0; i < pages.Length; i++) Guest.Receive(pages[i], contents[i]);
        return Task.CompletedTask;
    }

    /// <summary>Ends QEMU, writes down why, and is gone a moment later.</summary>
    public void End(PeerExitKind kind)
    {
        if (_state == PeerState.Ended) return;
        _outgoing?.Abort();
        Guest.Kill();
        _state = PeerState.Ended;
        Exit = kind;
        _loaded.TrySetResult();
        _world.Scheduler.After(_world.Scheduler.Pick(1_000, 20_000), Process, Process.Kill);
    }

    public void Dispose() => _outgoing?.Dispose();

    private Task<bool> RunGuestAsync()
    {
        Guest.Run();
        return Task.FromResult(true);
    }

    private Task<T> LeasedAsync<T>(Func<Task<T>> run) => _lease is null ? run() : _lease.RunAsync(run);

    private void ForgetOutgoing()
    {
        _state = PeerState.Running;
        _outgoing?.Dispose();
        _outgoing = null;
    }

    private Task<T> LockedAsync<T>(Func<Task<T>> action) =>
        _lock.DoAsync(() => _state == PeerState.Ended ? throw Conflict($"'{World.Vm}' has ended.") : action());

    private void RequireGuest()
    {
        if (!Guest.IsAlive) throw new FabricException(FabricErrorCode.Failed, "QEMU has ended");
    }

    /// <summary>As in <c>PeerService</c>; the peer's errors reach the grains under these codes.</summary>
    private static bool Admits(PeerVerdict verdict)
    {
        return verdict.IsRefused ? throw new FabricException(Enum.Parse<FabricErrorCode>(verdict.Code!), verdict.Reason!) : !verdict.IsRepeated;
    }

    private static FabricException Conflict(string reason) => FabricException.Conflict(reason);
}
