using Architekt.Fabric.Peer.Hosting;
using Architekt.Fabric.Peer.Tests.Support;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Peer.Tests;

/// <summary>The destination's disk fails, or the way to it does: nobody can run there, and the guest goes on where it was with all that it had written.</summary>
[Collection(SharedGuest.Name)]
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

        // The guest syncs what it writes, and its writes are on both sides before it hears of them.
        await AssertIsNotSwitchedAsync(source, operation);
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

        // Verified, because then the digests of all RAM lie between the two: there is time to die.
        var (destination, offer) = await guest.PrepareAsync(operation, verify: true);
        await source.Service.CopyAsync(MigratingGuest.CopyTo(offer, operation));
        await MigratingGuest.WaitConvergedAsync(source);
        await source.Service.SuspendAsync(operation);
        var qemu = destination.Qemu();
        var dying = DieAsync();

        await Assert.ThrowsAnyAsync<Exception>(() => source.Service.SwitchAsync(new PeerStep(operation, Verify: true)));

        await dying;
        Assert.Equal(PeerExitKind.Crashed, (await destination.WaitForExitAsync()).Kind);
        await AssertGoesOnAsync(source, destination, operation);

        async Task DieAsync()
        {
            await Deadline.UntilAsync(() => !File.Exists(ExportOf(destination)), "the mirror ends");
            Assert.False((await destination.Service.WaitLoadedAsync(0, TestContext.Current.CancellationToken)).IsLoaded);
            Assert.True(qemu.Kill(ProcessSignal.Kill));
        }
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
        await AssertDiskIsWholeAsync(source);

        await guest.MigrateAsync($"after-{operation}");
        await AssertDiskIsWholeAsync(guest.Current);
    }

    private static async Task AssertDiskIsWholeAsync(TestPeer peer) =>
        Assert.Matches(@"diskcheck: [1-9]\d* ok, 0 bad", await GuestShell.RunAsync(peer, "diskcheck verify"));

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
