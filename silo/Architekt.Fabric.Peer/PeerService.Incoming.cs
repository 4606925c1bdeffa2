using Architekt.Fabric.Network;
using Architekt.Fabric.Peer.Hosting;
using Architekt.Fabric.Peer.Machine;
using Architekt.Fabric.Peer.Migration;
using Architekt.Fabric.Qemu;

namespace Architekt.Fabric.Peer;

// A guest that comes here: prepared for, granted or given up.
internal sealed partial class PeerService
{
    private static readonly TimeSpan AgentDelay = TimeSpan.FromMilliseconds(200);
    private IncomingMigration? _incoming;
    private PeerRunning? _running;

    public Task<PeerOffer> ReceiveAsync(PeerIncoming incoming) => LockedAsync(async () =>
    {
        if (!Admits(Gate.Receive(incoming.Operation))) return _incoming!.Offer;
        await StartMachineAsync(MachineStart.Incoming, incoming.Base, incoming.IsLive);
        _incoming = await IncomingMigration.StartAsync(_machine!, instance, incoming, time, logger);
        _state = PeerState.Incoming;
        return _incoming.Offer;
    });

    public async Task<PeerLoaded> WaitLoadedAsync(int waitMs, CancellationToken cancellationToken)
    {
        var incoming = _incoming ?? throw PeerException.Conflict("No migration to this instance is under way.");
        if (waitMs > 0)
        {
            await ((Task)incoming.Loaded).WaitAsync(TimeSpan.FromMilliseconds(waitMs), time, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return incoming.Loaded.IsCompletedSuccessfully ? await incoming.Loaded : new PeerLoaded(IsLoaded: false, null, 0, null);
    }

    public Task<PeerRunning> RehearseRunAsync(long epoch)
    {
        RequireEpoch(epoch);
        return Task.FromResult(new PeerRunning(0, 0, _isLive));
    }

    public Task<PeerRunning> RunAsync(long epoch) => LockedAsync(async () =>
    {
        if (!Admits(Gate.Run(epoch))) return _running ?? new PeerRunning(0, 0, _isLive);
        var granted = time.GetTimestamp();
        var resumedAt = await _machine!.RunAsync(async () =>
        {
            await GrantAsync();
            var resumed = _machine.Qmp.WaitForEventAsync(QmpEventNames.Resume, filter: null, CancellationToken.None);
            var continuing = _machine.Qmp.ContinueAsync(CancellationToken.None);
            if (_machine.Tap is { } tap) Announce(tap);
            await continuing;
            _state = PeerState.Running;
            return (await resumed).Timestamp;
        });
        _running = new PeerRunning((resumedAt - _incoming!.StateArrivedAt).TotalMilliseconds, time.GetElapsedTime(granted).TotalMilliseconds, _isLive);
        _ = SettleAsync();
        return _running;
    });

    public async Task<PeerStatus> DiscardAsync(string operation)
    {
        Admits(Gate.Discard(operation));
        await EndAsync(PeerExitKind.Discarded, $"migration {operation} was given up");
        return Status;
    }

    /// <summary>While it is about to run, not by it: bridges and the source send on what is for it, and it finds that in its TAP's queue.</summary>
    private void Announce(TapDevice tap)
    {
        try
        {
            GratuitousAnnounce.SendThroughTap(tap, GratuitousAnnounce.BuildRarp(MacAddress.Parse(instance.Mac!)));
        }
        catch (NetworkException error)
        {
            PeerLog.AnnounceFailed(logger, error.Message);
        }
    }

    private async Task SettleAsync()
    {
        // Switches may lose the first one.
        if (_machine!.Tap is not null)
            await ((Task)_machine.Qmp.AnnounceSelfAsync(new AnnounceParameters(), _ending.Token)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        await TellResumedLaterAsync();
        if (_incoming is not null) await _incoming.DisposeAsync();
    }

    /// <summary>Its clients have been waiting for the guest, and what its agent does is done at their expense.</summary>
    private async Task TellResumedLaterAsync()
    {
        await Task.Delay(AgentDelay, time, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_ending.IsCancellationRequested) await _guest!.AfterResumeAsync(instance.Identity, _ending.Token);
    }
}
