using Architekt.Fabric.Peer.Hosting;
using Architekt.Fabric.Peer.Machine;
using Architekt.Fabric.Peer.Migration;
using ProcessPriority = Architekt.Fabric.Processes.ProcessPriority;

namespace Architekt.Fabric.Peer;

// A guest that goes elsewhere: copied, handed over, and released or taken back.
internal sealed partial class PeerService
{
    private const int ReleasedNice = 10;
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);
    private OutgoingMigration? _outgoing;
    private string? _keepMemory;

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

    private async Task ForgetOutgoingAsync()
    {
        _state = PeerState.Running;
        if (_outgoing is not null) await _outgoing.DisposeAsync();
        _outgoing = null;
        if (_guest is not null) await _guest.AfterRollBackAsync();
    }

    private OutgoingMigration RequireOutgoing(string operation)
    {
        Admits(Gate.Continue(operation));
        return _outgoing!;
    }
}
