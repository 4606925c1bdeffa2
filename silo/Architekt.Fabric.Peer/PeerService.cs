using Architekt.Fabric.Memory;
using Architekt.Fabric.Network;
using Architekt.Fabric.Peer.Hosting;
using Architekt.Fabric.Peer.Machine;
using Architekt.Fabric.Peer.Migration;
using Architekt.Fabric.Qemu;
using FileGate = Architekt.Fabric.Processes.FileGate;
using ProcessIdentity = Architekt.Fabric.Processes.ProcessIdentity;
using ProcessPriority = Architekt.Fabric.Processes.ProcessPriority;

namespace Architekt.Fabric.Peer;

/// <summary>
/// The owner of one VM at one epoch, and the gate before its guest: nothing lets the guest run but a grant for exactly this epoch.
/// </summary>
internal sealed partial class PeerService(
    PeerInstance instance, PeerFolder folder, IDirtyTrackingProbe tracking, TimeProvider time, ILogger<PeerService> logger, FileGate? gate = null)
    : IDisposable
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);
    private const int ReleasedNice = 10;
    private static readonly TimeSpan AgentDelay = TimeSpan.FromMilliseconds(200);
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _ending = new();
    private VmMachine? _machine;
    private GuestContact? _guest;
    private OutgoingMigration? _outgoing;
    private IncomingMigration? _incoming;
    private PeerRunning? _running;
    private PeerState _state;
    private long _granted;
    private bool _isLive;
    private string? _keepMemory;
    private bool _guestShutDown;
    private int _endBegun;

    /// <summary>Raised once the VM is gone and its end is written down.</summary>
    public event Action? Ended;

    public PeerStatus Status => new(
        instance.Vm,
        instance.Epoch,
        _granted,
        _outgoing is { IsHandedOver: true } && _state == PeerState.Running ? PeerState.HandedOver : _state,
        _isLive,
        _outgoing?.Operation ?? (_running is null ? _incoming?.Operation : null),
        _state == PeerState.Ended ? 0 : _machine?.Memory.ResidentBytes ?? 0,
        _state == PeerState.Ended ? null : _machine?.Fill?.Status,
        _machine?.Bases?.Names,
        _lease is null ? null : _lease.IsStopped);

    private PeerGate Gate => new(
        instance.Vm, instance.Host, instance.Epoch, _granted, _state, _outgoing?.Operation, _incoming?.Operation, _incoming is { IsLoaded: true }, _running is not null);

    public Task<PeerStatus> BootAsync(long epoch) => LockedAsync(async () =>
    {
        if (!Admits(Gate.Boot(epoch))) return Status;
        RequireLease();
        if (ResumesFromPackage)
        {
            await ResumeFromPackageAsync();
        }
        else
        {
            await StartMachineAsync(MachineStart.Boot, from: null, isLive: false);
            await RunGuestAsync();
        }

        _state = PeerState.Running;
        return Status;
    });

    public Task<PeerStatus> PauseAsync(long epoch) => LockedAsync(async () =>
    {
        RequireEpoch(epoch);
        Require(PeerState.Running);
        RefuseDuringMigration();
        await _machine!.Qmp.StopAsync(CancellationToken.None);
        _state = PeerState.Paused;
        return Status;
    });

    public Task<PeerStatus> ResumeAsync(long epoch) => LockedAsync(async () =>
    {
        RequireEpoch(epoch);
        Require(PeerState.Paused);
        await _machine!.RunAsync(async () =>
        {
            await _machine.Qmp.ContinueAsync(CancellationToken.None);
            return _state = PeerState.Running;
        });
        return Status;
    });

    public async Task<PeerStatus> StopAsync(long epoch, bool force)
    {
        RequireEpoch(epoch);
        if (force)
        {
            await EndAsync(PeerExitKind.Killed, "it was ended on request");
            return Status;
        }

        return await LockedAsync(async () =>
        {
            Require(PeerState.Running);
            RefuseDuringMigration();
            await _machine!.Qmp.SystemPowerdownAsync(CancellationToken.None);
            return Status;
        });
    }

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
        if (!Admits(Gate.Run(epoch))) return _running!;
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

    public Task<PeerStatus> CopyAsync(PeerCopy copy) => LockedAsync(async () =>
    {
        if (!Admits(Gate.Copy(copy.Operation))) return Status;
        _outgoing = OutgoingMigration.Start(_machine!, instance, copy, time, logger, gate);
        await Task.CompletedTask;
        return Status;
    });

    public Task<PeerTransfer> WaitTransferAsync(long after, CancellationToken cancellationToken) =>
        (_outgoing ?? throw PeerException.Conflict("No migration away is under way.")).Transfer.WaitBeyondAsync(after, LongestWait, time, cancellationToken);

    public Task<PeerStatus> SuspendAsync(string operation) => LockedAsync(async () =>
    {
        RequireOutgoing(operation);
        await WaitUntilIntroducedAsync();
        await _guest!.BeforeSuspendAsync(CancellationToken.None);
        return Status;
    });

    public Task<PeerSwitched> SwitchAsync(PeerStep step) => LockedAsync(async () =>
    {
        var outgoing = RequireOutgoing(step.Operation);
        if (_lease is { IsStopped: true }) throw PeerException.Conflict($"'{instance.Vm}' stands still: its lease has run out.");
        _state = PeerState.Switching;
        try
        {
            var switched = await outgoing.SwitchAsync(step.Verify);
            _state = PeerState.HandedOver;
            return switched;
        }
        catch
        {
            if (outgoing.IsHandedOver)
            {
                _state = PeerState.HandedOver;
                throw;
            }

            await outgoing.UndoAsync();
            await ForgetOutgoingAsync();
            throw;
        }
    });

    public async Task<PeerStatus> RollBackAsync(string operation)
    {
        return await LockedAsync(async () =>
        {
            if (!Admits(Gate.RollBack(operation))) return Status;
            await _outgoing!.UndoAsync();
            await ForgetOutgoingAsync();
            PeerLog.RolledBack(logger, operation);
            return Status;
        });
    }

    public Task<PeerReleased> ReleaseAsync(PeerStep step) => LockedAsync(async () =>
    {
        var outgoing = RequireOutgoing(step.Operation);
        var frames = await outgoing.ForwardFramesAsync();
        await _guest!.ForgetAsync();

        // From here on there is only memory to give back, and other guests to keep out of the way of.
        ProcessPriority.TrySet(_machine!.Process.Identity.Pid, ReleasedNice);
        ProcessPriority.TrySet(Environment.ProcessId, ReleasedNice);
        _keepMemory = step.KeepMemory;
        _ = EndAsync(PeerExitKind.Released, $"it runs elsewhere since migration {step.Operation}");
        return new PeerReleased(frames, step.KeepMemory is null ? null : MemoryBases.VisitName(instance, step.Operation));
    });

    /// <summary>Ends QEMU, if it runs, and writes down why. Only the first call counts.</summary>
    public async Task EndAsync(PeerExitKind kind, string reason)
    {
        if (Interlocked.Exchange(ref _endBegun, 1) == 1)
        {
            await _ended.Task;
            return;
        }

        // Its QEMU is not known before it has started, and would be left behind.
        if (_prepared is not null) await _prepared.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            _lease?.Dispose();
            await _ending.CancelAsync();
            _machine?.Process.Kill();
            _incoming?.Fail(reason);
            if (_outgoing is not null) await _outgoing.DisposeAsync();
            if (_incoming is not null) await _incoming.DisposeAsync();
            if (_machine is not null) await _machine.DisposeAsync();
        }
        catch (Exception error)
        {
            // Whatever could not be closed is closed by the end of this process, which must not be held up.
            PeerLog.CloseFailed(logger, error);
        }

        _state = PeerState.Ended;
        KeepOrDeleteMemory();
        await folder.WriteExitAsync(new PeerExit(instance.Epoch, kind, reason));
        PeerLog.Ended(logger, instance.Vm, instance.Epoch, kind, reason);
        _ended.SetResult();

        // Not from here: stopping the application waits for whoever is told to stop, and that may be waiting for this.
        _ = Task.Run(() => Ended?.Invoke());
    }

    private void KeepOrDeleteMemory()
    {
        try
        {
            if (_keepMemory is not null) File.Move(folder.Memory, _keepMemory, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            PeerLog.MemoryNotKept(logger, _keepMemory!, error.Message);
        }

        File.Delete(folder.Memory);
    }

    public void Dispose()
    {
        _gate.Dispose();
        _ending.Dispose();
    }

    public Task WriteIdentityAsync()
    {
        var self = ProcessIdentity.Current;
        var qemu = _machine?.Process.Identity;
        return folder.WriteIdentityAsync(
            new PeerIdentity(PeerApi.Version, self.Pid, self.StartTicks, qemu?.Pid ?? 0, qemu?.StartTime ?? 0, _granted));
    }

    private async Task StartMachineAsync(MachineStart start, PeerBase? from, bool isLive)
    {
        _machine = await VmMachine.StartAsync(instance, folder, tracking.Probe(), start, from, Lease, time, logger);
        _guest = new GuestContact(_machine, instance.HasAgent, time, logger);
        _isLive = isLive || !instance.HasAgent;
        await WriteIdentityAsync();
        _ = WatchExitAsync(_machine);
        if (!_isLive) _ = WatchLivenessAsync();
    }

    /// <summary>Written down before the guest runs, so that whoever finds this instance knows that it may have run.</summary>
    private Task GrantAsync()
    {
        _granted = instance.Epoch;
        PeerLog.Granted(logger, instance.Vm, _granted);
        return WriteIdentityAsync();
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

    private async Task ForgetOutgoingAsync()
    {
        _state = PeerState.Running;
        if (_outgoing is not null) await _outgoing.DisposeAsync();
        _outgoing = null;
        if (_guest is not null) await _guest.AfterRollBackAsync();
    }

    private async Task WatchLivenessAsync()
    {
        try
        {
            await _guest!.WaitUntilLiveAsync(_ending.Token);
            _isLive = true;
        }
        catch (Exception error) when (error is OperationCanceledException or Agents.AgentException)
        {
            // A guest that ends before it is up is told of by its exit.
        }
    }

    /// <summary>A guest of this instance's own that never ran was not started, whoever notices first.</summary>
    private PeerExitKind HowItFailed() => _granted == 0 && _incoming is null ? PeerExitKind.StartFailed : PeerExitKind.Crashed;

    private async Task WatchExitAsync(VmMachine machine)
    {
        // A signal to QEMU is announced as a shutdown, too, and is none of the guest's.
        var shutDown = machine.Qmp.WaitForEventAsync(
            QmpEventNames.Shutdown, static done => done.DataString("reason") == "guest-shutdown", _ending.Token);
        _ = shutDown.ContinueWith(task => _guestShutDown = task.IsCompletedSuccessfully, TaskScheduler.Default);
        var code = await machine.Process.WaitForExitAsync(CancellationToken.None);
        await ((Task)shutDown).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // Whoever asks for it to run is told why it cannot, and is still to be answered.
        if (_prepared is not null && _granted == 0) return;
        if (_guestShutDown || shutDown.IsCompletedSuccessfully)
            await EndAsync(PeerExitKind.ShutDown, "the guest shut down");
        else
            await EndAsync(HowItFailed(), _lease is { HasRunOut: true }
                ? "its lease ran out"
                : $"QEMU ended with code {code}: {machine.Process.ReadStandardErrorTail()}");
    }

    private async Task<T> LockedAsync<T>(Func<Task<T>> action)
    {
        await _gate.WaitAsync();
        try
        {
            return _state == PeerState.Ended ? throw PeerException.Conflict($"'{instance.Vm}' has ended.") : await action();
        }
        finally
        {
            _gate.Release();
        }
    }

    private void RequireEpoch(long epoch) => Admits(Gate.ForEpoch(epoch));

    private void Require(PeerState wanted) => Admits(Gate.In(wanted));

    private void RefuseDuringMigration() => Admits(Gate.NotMigrating());

    private OutgoingMigration RequireOutgoing(string operation)
    {
        Admits(Gate.Continue(operation));
        return _outgoing!;
    }

    /// <summary>Throws what the gate refuses; false if the call was carried out before.</summary>
    private static bool Admits(PeerVerdict verdict) =>
        verdict.IsRefused ? throw new PeerException(verdict.Code!, verdict.Reason!) : !verdict.IsRepeated;
}
