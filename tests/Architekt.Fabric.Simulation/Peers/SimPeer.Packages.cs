using Architekt.Fabric.Peer;
using Architekt.Fabric.Simulation.Bugs;
using Architekt.Fabric.Simulation.Hosts;

namespace Architekt.Fabric.Simulation.Peers;

/// <content>The guest's end on request, and checkpoints: the steps, the order and the way back of the peer's <c>CheckpointWriter</c>.</content>
internal sealed partial class SimPeer
{
    private string? _checkpointed;
    private long _scanned;

    public Task<bool> StopAsync(long epoch, bool force)
    {
        Admits(Gate.ForEpoch(epoch));
        if (!force) return LockedAsync(ShutDownAsync);
        _world.Observer.Stopped.Add((_machine.Name, Epoch));
        End(PeerExitKind.Killed);
        return Task.FromResult(true);
    }

    public Task<bool> CheckpointAsync(long epoch, string operation, Draft draft, bool keepsRunning)
    {
        Admits(Gate.ForEpoch(epoch));
        return LockedAsync(async () =>
        {
            if (_checkpointed == operation) return true;
            if (_world.Bug != SeededBug.CheckpointBesideMigration)
            {
                Admits(Gate.In(PeerState.Running));
                Admits(Gate.NotMigrating());
            }

            await WriteDownAsync(draft, keepsRunning);
            _checkpointed = operation;
            if (keepsRunning) return true;
            _world.Observer.Stopped.Add((_machine.Name, Epoch));
            End(PeerExitKind.Suspended);
            return true;
        });
    }

    /// <summary>The guest runs when it returns or fails, unless it is not to.</summary>
    private async Task WriteDownAsync(Draft draft, bool keepsRunning)
    {
        RequireFolder(draft);
        try
        {
            _scanned = 0;
            await CopyAsync(draft, Enumerable.Range(0, SimGuest.Pages), 200_000);
            if (keepsRunning) await CopyAsync(draft, Guest.WrittenSince(_scanned), 20_000);
            if (_lease is null) Guest.Stand();
            else await _lease.HoldAsync();
            draft.State = Guest.Written;

            // Writing out the device state takes long when the machine is busy.
            await CopyAsync(draft, Guest.WrittenSince(_scanned), _world.Scheduler.Chance(20) ? 4_000_000 : 5_000);
            draft.Disk = Guest.Disk.Content;
            if (keepsRunning) await GoOnAsync();
            await Process.DelayAsync(_world.Scheduler.Pick(5_000, 200_000));
            RequireFolder(draft);
            RequireGuest();
        }
        catch
        {
            if (Guest.IsAlive) await GoOnAsync();
            throw;
        }
    }

    /// <summary>Scanned and protected first, read after.</summary>
    private async Task CopyAsync(Draft draft, IEnumerable<int> found, long slowness)
    {
        int[] pages = [.. found];
        _scanned = Guest.Written;
        await Process.DelayAsync(_world.Scheduler.Pick(200, slowness));
        RequireGuest();
        RequireFolder(draft);
        foreach (var page in pages) draft.Pages[page] = Guest.Read(page);
    }

    private Task<bool> ShutDownAsync()
    {
        Admits(Gate.In(PeerState.Running));
        Admits(Gate.NotMigrating());
        _world.Observer.Stopped.Add((_machine.Name, Epoch));
        _world.Scheduler.After(_world.Scheduler.Pick(20_000, 500_000), Process, () =>
        {
            if (Guest.IsRunning) End(PeerExitKind.ShutDown);
        });
        return Task.FromResult(true);
    }

    private static void RequireFolder(Draft draft)
    {
        if (draft.IsGone) throw new FabricException(FabricErrorCode.Failed, "the folder for the checkpoint is not there");
    }
}
