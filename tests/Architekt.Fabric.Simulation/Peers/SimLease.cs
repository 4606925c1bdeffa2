using Architekt.Fabric.Peer;
using Architekt.Fabric.Simulation.Bugs;
using Architekt.Fabric.Simulation.Scheduling;

namespace Architekt.Fabric.Simulation.Peers;

/// <summary>The right of one guest to run, where it is a lease: what the peer's <c>GuestLease</c> does in the order it does it, around the real <see cref="LeaseTerm"/>.</summary>
internal sealed class SimLease(World world, SimPeer peer)
{
    private const long LongestWait = 500_000;
    private readonly SimLock _turn = new();
    private readonly LeaseTerm _term = new();
    private bool _isAttached;
    private bool _isHeld;

    public bool IsStopped => _term.IsStopped;

    public bool IsInForce => _term.Allows(Now);

    private TimeSpan Now => peer.Machine.Clock.Now;

    /// <summary>QEMU has started. The guest stands still.</summary>
    public void Attach()
    {
        if (_isAttached) return;
        _isAttached = true;
        _ = WatchAsync();
    }

    public Task<bool> ExtendAsync(TimeSpan until) => _turn.DoAsync(async () =>
    {
        if (world.Bug == SeededBug.LeaseIsASpan) until = Now + World.LeaseDuration;
        if (!_term.IsLonger(until) || until <= Now) return true;
        if (_isAttached && !_term.IsStopped) await SetSwitchAsync(until + LeaseTerm.Grace);
        _term.Extend(until);
        if (!_isAttached || !_term.IsStopped || _isHeld || !peer.IsToRun) return true;
        await SetSwitchAsync(_term.End);
        peer.Guest.Run();
        _term.IsStopped = false;
        return true;
    });

    public Task<T> RunAsync<T>(Func<Task<T>> run) => _turn.DoAsync(async () =>
    {
        if (!_term.Allows(Now)) throw new FabricException(FabricErrorCode.Conflict, "the guest has no lease");
        await SetSwitchAsync(_term.End);
        _term.IsStopped = false;
        return await run();
    });

    /// <summary>Stops the guest for something else.</summary>
    public Task<bool> HoldAsync() => _turn.DoAsync(() =>
    {
        _isHeld = world.Bug != SeededBug.RenewalEndsHold;
        peer.Guest.Stand();
        return Task.FromResult(true);
    });

    /// <summary>Lets a guest go on that was stopped for something else.</summary>
    public Task<bool> GoOnAsync(Action run) => _turn.DoAsync(async () =>
    {
        if (world.Bug == SeededBug.GoesOnWithoutLease)
        {
            run();
            return true;
        }

        _isHeld = false;
        if (!_term.Allows(Now))
        {
            if (!_term.IsStopped) await StandStillAsync();
            return true;
        }

        await SetSwitchAsync(_term.End);
        run();
        _term.IsStopped = false;
        return true;
    });

    private async Task SetSwitchAsync(TimeSpan? at)
    {
        await peer.Process.DelayAsync(world.Scheduler.Pick(20, 300));
        if (!peer.Guest.IsAlive) throw new FabricException(FabricErrorCode.Failed, "QEMU did not take its lease");
        if (world.Bug != SeededBug.NoDeadMansSwitch) peer.Guest.SetSwitch(at is { } end ? peer.Machine.Clock.Until(end) : null);
    }

    private Task StandStillAsync()
    {
        peer.Guest.Stand();
        _term.IsStopped = true;
        return SetSwitchAsync(null);
    }

    private async Task WatchAsync()
    {
        while (peer.Guest.IsAlive)
        {
            if (_term.Left(Now) is not { } left) await peer.Process.DelayAsync(LongestWait);
            else if (left > TimeSpan.Zero) await peer.Process.DelayAsync(peer.Machine.Clock.Until(_term.Until));
            else await StopAsync();
        }
    }

    private Task<bool> StopAsync() => _turn.DoAsync(async () =>
    {
        if (_term.Left(Now) != TimeSpan.Zero) return true;
        try
        {
            if (!peer.CanStop) throw new FabricException(FabricErrorCode.Failed, "its lease ran out in the middle of a hand-over");
            await StandStillAsync();
        }
        catch (FabricException)
        {
            peer.End(PeerExitKind.Crashed);
        }

        return true;
    });
}
