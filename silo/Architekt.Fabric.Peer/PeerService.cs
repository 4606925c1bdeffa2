using Architekt.Fabric.Memory;
using Architekt.Fabric.Peer.Hosting;
using Architekt.Fabric.Peer.Machine;
using Architekt.Fabric.Qemu;
using FileGate = Architekt.Fabric.Processes.FileGate;
using ProcessIdentity = Architekt.Fabric.Processes.ProcessIdentity;

namespace Architekt.Fabric.Peer;

/// <summary>
/// The owner of one VM at one epoch, and the gate before its guest: nothing lets the guest run but a grant for exactly this epoch.
/// </summary>
internal sealed partial class PeerService(
    PeerInstance instance, PeerFolder folder, IDirtyTrackingProbe tracking, TimeProvider time, ILogger<PeerService> logger, FileGate? gate = null)
    : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private VmMachine? _machine;
    private GuestContact? _guest;
    private PeerState _state;
    private long _granted;
    private bool _isLive;

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

    /// <summary>Throws what the gate refuses; false if the call was carried out before.</summary>
    private static bool Admits(PeerVerdict verdict) =>
        verdict.IsRefused ? throw new PeerException(verdict.Code!, verdict.Reason!) : !verdict.IsRepeated;
}
