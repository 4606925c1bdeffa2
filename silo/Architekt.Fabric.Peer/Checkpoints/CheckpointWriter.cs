using System.Diagnostics;
using Architekt.Fabric.Memory;
using Architekt.Fabric.Peer.Hosting;
using Architekt.Fabric.Peer.Machine;
using Architekt.Fabric.Peer.Migration;
using Architekt.Fabric.Qemu;

namespace Architekt.Fabric.Peer.Checkpoints;

/// <summary>
/// Writes down a guest as it is at one moment: RAM, device state, disk. One that goes on afterwards stands still only for what it wrote last: its RAM is copied in rounds
/// before, as for a migration, and its disk is read after it runs again.
/// </summary>
internal sealed class CheckpointWriter(VmMachine machine, PeerInstance instance, GuestContact guest, PeerCheckpoint options, TimeProvider time)
{
    private const int MostRounds = 8;

    /// <summary>A last round of this size takes a few milliseconds.</summary>
    private const long SmallRound = 4 << 20;

    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(60);
    private readonly CheckpointFiles _files = new(options.Folder);
    private readonly QemuImg _images = new();
    private readonly List<PageRange> _ranges = [];
    private DirtyTracker? _ownTracker;

    /// <summary>Returns with the guest running, or, if it is not to, standing still and written down. When it fails, the guest runs and no file is left.</summary>
    public async Task<PeerCheckpointed> WriteAsync(CancellationToken cancellationToken)
    {
        if (!Directory.Exists(options.Folder)) throw PeerException.Failed($"The folder {options.Folder} for the checkpoint is not there.");
        if (_files.All.FirstOrDefault(File.Exists) is { } old) throw PeerException.Conflict($"The checkpoint would replace {old}; give it an empty folder.");
        try
        {
            if (machine.Fill is not null) await machine.Fill.CompleteAsync(cancellationToken);
            using var image = MemoryImage.Create(_files.Memory, machine.Memory.Length);
            if (options.KeepRunning) await CopyWhileRunningAsync(image, cancellationToken);
            await guest.BeforeSuspendAsync(cancellationToken);
            var stopped = await WriteStoppedAsync(image, cancellationToken);

            // Not before: a disk takes its time, and a guest that goes on must not wait for it.
            await Task.WhenAll(Task.Run(image.Flush, CancellationToken.None), DiskFile.WriteOutAsync(_files.State));
            return stopped;
        }
        catch (Exception error)
        {
            await UndoAsync();
            if (error is PeerException or OperationCanceledException) throw;
            throw PeerException.Failed($"'{instance.Vm}' could not be written down in {options.Folder}: {error.Message}");
        }
        finally
        {
            _ownTracker?.Dispose();
            File.Delete(_files.Overlay);
        }
    }

    private async Task<PeerCheckpointed> WriteStoppedAsync(MemoryImage image, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(StopDeadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        if (options.KeepRunning)
        {
            await DiskFile.WriteOutAsync(instance.OverlayDiskPath);
            await Task.Run(() => Round(image, either.Token), either.Token);
        }

        var began = Stopwatch.GetTimestamp();
        await machine.HoldAsync(either.Token);
        var stateBytes = await SaveStateAsync(either.Token);

        // Last, because saving the devices may change RAM.
        await Task.Run(() => CopyLast(image, either.Token), either.Token);
        if (!options.KeepRunning)
        {
            var diskBytes = await MakeDiskAsync(instance.OverlayDiskPath, cancellationToken);
            return new PeerCheckpointed(Stopwatch.GetElapsedTime(began).TotalMilliseconds, image.DataBytes, stateBytes, diskBytes);
        }

        KnowFromHere();

        // QEMU has written all of it out and let go of it until the guest runs again.
        if (instance.OverlayDiskPath is { } overlay) File.Copy(overlay, _files.Overlay);
        await machine.GoOnAsync(time);
        var pauseMs = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        await guest.AfterRollBackAsync();
        return new PeerCheckpointed(pauseMs, image.DataBytes, stateBytes, await MakeDiskAsync(instance.OverlayDiskPath is null ? null : _files.Overlay, cancellationToken));
    }

    /// <summary>Rounds until little is left, or until more of them do not make it less.</summary>
    private Task CopyWhileRunningAsync(MemoryImage image, CancellationToken cancellationToken)
    {
        if (machine.Armed is null) return Task.CompletedTask;
        return Task.Run(
            () =>
            {
                if (machine.Tracker is null)
                {
                    _ownTracker = DirtyTracker.Attach(machine.Armed);
                    _ownTracker.ProtectAll();
                }
                else
                {
                    Scan();
                }

                image.Write(machine.Memory, machine.Memory.DataRanges(), cancellationToken);
                for (var round = 0; round < MostRounds && Round(image, cancellationToken) > SmallRound; round++) ;
            },
            cancellationToken);
    }

    private void CopyLast(MemoryImage image, CancellationToken cancellationToken)
    {
        if (options.KeepRunning && machine.Armed is not null) Round(image, cancellationToken);
        else image.Write(machine.Memory, machine.Memory.DataRanges(), cancellationToken);
    }

    /// <summary>The guest goes on from exactly the RAM that was written down: others may soon have it.</summary>
    private void KnowFromHere()
    {
        if ((machine.Tracker ?? _ownTracker) is not { } tracker) return;
        machine.KeepTracking(tracker);
        _ownTracker = null;
        machine.Bases = MemoryBases.Adding(machine.Bases, tracker, MemoryBases.CheckpointName(options.Operation), instance.PackageDigest);
    }

    private long Round(MemoryImage image, CancellationToken cancellationToken)
    {
        if (machine.Armed is null) return 0;
        var pages = Scan();
        image.Write(machine.Memory, _ranges, cancellationToken);
        return pages * GuestMemory.PageSize;
    }

    private long Scan()
    {
        var scan = (machine.Tracker ?? _ownTracker!).Collect(_ranges);
        return scan.Outcome == DirtyScanOutcome.Complete
            ? scan.Pages
            : throw PeerException.Failed($"The guest's writes cannot be tracked any more ({scan.Outcome}), so it cannot be written down while it runs.");
    }

    private async Task<long> SaveStateAsync(CancellationToken cancellationToken)
    {
        // A machine that was to be migrated was told to pause before it writes out its devices.
        await machine.Qmp.MigrateSetCapabilitiesAsync(new MigrationCapabilities { IgnoreShared = true }, cancellationToken);
        using var stream = new DeviceStateStream(machine, instance.QemuUserId);
        await using var file = new FileStream(_files.State, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, useAsync: false);
        var completed = machine.Qmp.WaitForMigrationAsync(MigrationStatus.Completed, cancellationToken);
        var saving = stream.SaveToAsync(file, cancellationToken);
        await machine.Qmp.MigrateAsync(stream.Uri, cancellationToken);
        if ((await completed).MigrationStatus is var status && status != MigrationStatus.Completed)
            throw PeerException.Failed($"QEMU could not write out the device state: its migration is {status}. {machine.Process.ReadStandardErrorTail()}".TrimEnd());
        return await saving;
    }

    private async Task<long> MakeDiskAsync(string? overlay, CancellationToken cancellationToken)
    {
        if (overlay is null) return 0;
        await _images.FlattenAsync(overlay, _files.Disk, cancellationToken);
        await DiskFile.WriteOutAsync(_files.Disk);
        return (await _images.InfoAsync(_files.Disk, cancellationToken)).ActualSize;
    }

    /// <summary>The guest goes on first; then there is time to tidy up.</summary>
    private async Task UndoAsync()
    {
        try
        {
            if (machine.Process.HasExited) return;
            await machine.CancelDeviceStateAsync(time);
            await machine.GoOnAsync(time);
            await guest.AfterRollBackAsync();
        }
        catch (QmpConnectionException)
        {
            // QEMU is gone, and whoever watches it says so.
        }
        finally
        {
            _files.Delete();
        }
    }
}
