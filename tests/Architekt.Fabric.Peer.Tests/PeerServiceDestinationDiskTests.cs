using Architekt.Fabric.Peer.Hosting;
using Architekt.Fabric.Peer.Tests.Support;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Peer.Tests;

/// <summary>The destination's disk fails, or the way to it does: nobody can run there, and the guest goes on where it was with all that it had written.</summary>
[Collection(OneMigratingGuest.Name)]
public sealed class PeerServiceDestinationDiskTests(MigratingGuest guest) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("architekt-peer-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Copy_DestinationsDiskCannotBeFlushed_IsNotSwitched()
    {
        const string operation = "unflushed";
        var source = await guest.RequireLiveAsync();
        var qemu = QemuThatCannotFlush();
        var (destination, offer) = await guest.PrepareAsync(operation, change: instance => instance with { QemuBinary = qemu });

        await source.Service.CopyAsync(MigratingGuest.CopyTo(offer, operation));
        await MigratingGuest.WaitConvergedAsync(source);

        // What the guest syncs is on its own disk until the commit; the destination's is written out before the guest stops.
        var failure = await Assert.ThrowsAsync<PeerException>(() => source.Service.SwitchAsync(new PeerStep(operation)));
        Assert.Contains("The destination did not take what it was sent", failure.Message, StringComparison.Ordinal);
        Assert.Equal(PeerState.Running, source.Service.Status.State);
        await AssertGoesOnAsync(source, destination, operation);
    }

    [Fact]
    public async Task Switch_OnlyTheLastFlushOfTheDestinationsDiskFails_NobodyRunsThereAndTheGuestGoesOn()
    {
        const string operation = "last-flush";
        var source = await guest.RequireLiveAsync();
        var flushes = await WatchedFlushes.CreateAsync(_folder);
        var (destination, offer) = await guest.PrepareAsync(operation, change: instance => instance with { QemuBinary = flushes.Qemu });
        await source.Service.CopyAsync(MigratingGuest.CopyTo(offer, operation));
        await MigratingGuest.WaitConvergedAsync(source);
        await QuietAsync(source);
        await GuestShell.RunAsync(source, "dd if=/dev/urandom of=/root/late bs=64k count=1; sync");
        await source.Service.SuspendAsync(operation);
        var gate = source.CloseGate($"{operation}.switching");
        var before = flushes.Count;
        var switching = source.Service.SwitchAsync(new PeerStep(operation));

        // The flush before the guest stops is behind it, and was one.
        await gate.ReachedAsync();
        Assert.InRange(flushes.Count, before + 1, long.MaxValue);

        // Past the guest's page cache and without a flush of its own, so that the last one has something to do. It takes no new room on the disk, which qcow2 would flush.
        var written = await GuestShell.RunAsync(source, "dd if=/dev/urandom of=/root/late bs=64k count=1 conv=notrunc oflag=direct 2>/dev/null && md5sum </root/late", seconds: 5);
        flushes.Fail();
        gate.Open();

        // It comes after the guest has stopped, and before anything could be committed: only the fabric can tell the source to go on.
        var failure = await Assert.ThrowsAsync<PeerException>(() => switching);
        Assert.Contains("The destination did not take what it was sent", failure.Message, StringComparison.Ordinal);
        var loaded = await destination.Service.WaitLoadedAsync(0, TestContext.Current.CancellationToken);
        Assert.False(loaded.IsLoaded);
        Assert.NotNull(loaded.Error);
        Assert.Equal(PeerState.HandedOver, source.Service.Status.State);
        await source.Service.RollBackAsync(operation);
        Assert.Equal(PeerState.Running, source.Service.Status.State);
        await AssertGoesOnAsync(source, destination, operation);
        Assert.Equal(written, await GuestShell.RunAsync(guest.Current, "echo 3 >/proc/sys/vm/drop_caches; md5sum </root/late"));
    }

    [Fact]
    public async Task Copy_ConnectionToTheDiskBreaksInTheMiddle_WhatCameIsFlushedAndTheExportClosed()
    {
        const string operation = "middle";
        var source = await guest.RequireLiveAsync();
        await QuietAsync(source);
        var flushes = await WatchedFlushes.CreateAsync(_folder);
        var (destination, offer) = await guest.PrepareAsync(operation, change: instance => instance with { QemuBinary = flushes.Qemu });
        var before = flushes.Count;
        await using var line = new CuttableLine(offer.DiskPort, cutAfter: 256 << 10);

        await source.Service.CopyAsync(MigratingGuest.CopyTo(offer with { DiskPort = line.Port }, operation));

        await AssertIsNotSwitchedAsync(source, operation);
        await Deadline.UntilAsync(() => !File.Exists(ExportOf(destination)), "the destination closes the export");
        Assert.InRange(flushes.Count, before + 1, long.MaxValue);
        await AssertGoesOnAsync(source, destination, operation);
    }

    [Fact]
    public async Task Copy_ConnectionToTheDiskIsCut_IsNotSwitchedAndTheExportIsClosed()
    {
        const string operation = "cut";
        var source = await guest.RequireLiveAsync();
        var (destination, offer) = await guest.PrepareAsync(operation);
        await using var line = new CuttableLine(offer.DiskPort);
        await source.Service.CopyAsync(MigratingGuest.CopyTo(offer with { DiskPort = line.Port }, operation));
        await MigratingGuest.WaitConvergedAsync(source);
        Assert.True(File.Exists(ExportOf(destination)));

        await line.CutAsync();

        await Deadline.UntilAsync(() => !File.Exists(ExportOf(destination)), "the destination flushes its disk and closes the export");
        // A write that reached only one side: the guest writes all the time.
        await AssertIsNotSwitchedAsync(source, operation);
        await AssertGoesOnAsync(source, destination, operation);
    }

    [Fact]
    public async Task Switch_DestinationDiesBetweenTheMirrorsEndAndTheDeviceState_GuestGoesOn()
    {
        const string operation = "halfway";
        var source = await guest.RequireLiveAsync();

        var (destination, offer) = await guest.PrepareAsync(operation);
        await source.Service.CopyAsync(MigratingGuest.CopyTo(offer, operation));
        await MigratingGuest.WaitConvergedAsync(source);
        await source.Service.SuspendAsync(operation);
        var gate = source.CloseGate($"{operation}.stopped");
        var switching = source.Service.SwitchAsync(new PeerStep(operation));
        await gate.ReachedAsync();
        await Deadline.UntilAsync(() => !File.Exists(ExportOf(destination)), "the mirror ends");
        Assert.False((await destination.Service.WaitLoadedAsync(0, TestContext.Current.CancellationToken)).IsLoaded);

        Assert.True(destination.Qemu().Kill(ProcessSignal.Kill));
        Assert.Equal(PeerExitKind.Crashed, (await destination.WaitForExitAsync()).Kind);
        gate.Open();

        await Assert.ThrowsAnyAsync<Exception>(() => switching);
        await AssertGoesOnAsync(source, destination, operation);
    }

    /// <summary>Where the destination's QEMU serves its disk as long as it does.</summary>
    private static string ExportOf(TestPeer destination) => Path.Combine(Path.GetDirectoryName(destination.AgentSocket)!, "nbd.sock");

    private static async Task AssertIsNotSwitchedAsync(TestPeer source, string operation)
    {
        const string reason = "The disk could not be mirrored";
        Assert.Contains(reason, await MigratingGuest.WaitForErrorAsync(source), StringComparison.Ordinal);
        var refusal = await Assert.ThrowsAsync<PeerException>(() => source.Service.SwitchAsync(new PeerStep(operation)));
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }

    private async Task AssertGoesOnAsync(TestPeer source, TestPeer destination, string operation)
    {
        await Assert.ThrowsAsync<PeerException>(() => destination.Service.RunAsync(destination.Instance.Epoch));
        Assert.Equal(0, destination.Service.Status.GrantedEpoch);
        await MigratingGuest.GiveUpAsync(source, destination, operation);
        await source.PingAgentAsync();
        await GuestShell.RunAsync(source, "killall -CONT diskcheck");
        await GuestShell.VerifyRecordsAsync(source);

        await guest.MigrateAsync($"after-{operation}");
        await GuestShell.VerifyRecordsAsync(guest.Current);
    }

    /// <summary>The guest writes nothing to its disk any more, so that a flush of it is nobody's but the migration's. <see cref="AssertGoesOnAsync"/> lets it go on.</summary>
    private static Task<string> QuietAsync(TestPeer peer) => GuestShell.RunAsync(peer, "killall -STOP diskcheck; sync");

    /// <summary>QEMU with a layer beneath its disk that fails what it is asked to flush, but not what qcow2 flushes by itself (QEMU, docs/devel/blkdebug.rst).</summary>
    private string QemuThatCannotFlush()
    {
        var script = Path.Combine(_folder, "qemu");
        File.WriteAllText(script, """
            #!/bin/bash
            arguments=()
            for argument; do
              argument=${argument/,file.driver=file,file.filename=/,file.driver=blkdebug,file.inject-error.0.event=flush_to_disk,file.inject-error.0.iotype=flush,file.image.driver=file,file.image.filename=}
              arguments+=("${argument/,file.aio=threads/,file.image.aio=threads}")
            done
            exec qemu-system-x86_64 "${arguments[@]}"
            """);
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return script;
    }
}
