using System.Diagnostics;

namespace Architekt.Fabric.Qemu.Tests.Guests;

public sealed class QemuMirrorTests
{
    private const int DiskBytes = 8 << 20;

    [Fact]
    public async Task Mirror_OverlayIntoTheOtherQemusExport_ArrivesWholeAndFollowsWrites()
    {
        TestGuest.RequireQemu();
        Assert.SkipUnless(QemuBinary.FindInPath("qemu-img") is not null, "qemu-img is not installed");
        using var package = new TestFolder();
        var content = new byte[DiskBytes];
        new Random(1).NextBytes(content);
        await File.WriteAllBytesAsync(package["base.raw"], content, TestContext.Current.CancellationToken);

        await using var source = await StartAsync(package, incoming: false);
        await using var destination = await StartAsync(package, incoming: true);
        await WriteAsync(source, 0x11, 1 << 20);

        await destination.Qmp.NbdServerStartAsync(destination.Folder["nbd"], Deadline.After(60));
        await destination.Qmp.BlockExportAddAsync("disk", QemuCommandLine.DiskNodeName, true, null, Deadline.After(60));
        await source.Qmp.BlockdevAddNbdAsync("far", destination.Folder["nbd"], "disk", Deadline.After(60));
        var ready = source.Qmp.WaitForEventAsync(QmpEventNames.BlockJobReady, value => value.IsForBlockJob("mirror"), Deadline.After(60));
        await source.Qmp.BlockdevMirrorAsync("mirror", QemuCommandLine.DiskNodeName, "far", MirrorSync.Top, MirrorCopyMode.WriteBlocking, null, Deadline.After(60));
        await ready;
        var job = Assert.Single(await source.Qmp.QueryBlockJobsAsync(Deadline.After(60)));
        Assert.Equal(("mirror", "mirror", true), (job.Device, job.Type, job.Ready));
        Assert.InRange(job.Len, 64 << 10, DiskBytes - 1); // only what the overlay holds

        await WriteAsync(source, 0x22, 5 << 20);
        await source.Qmp.StopAsync(Deadline.After(60));
        var completed = source.Qmp.WaitForEventAsync(QmpEventNames.BlockJobCompleted, value => value.IsForBlockJob("mirror"), Deadline.After(60));
        await source.Qmp.BlockJobCancelAsync("mirror", force: false, Deadline.After(60));
        Assert.Null((await completed).DataString("error"));
        await source.Qmp.BlockdevDelAsync("far", Deadline.After(60));
        await destination.Qmp.NbdServerStopAsync(Deadline.After(60));
        Assert.Empty(await source.Qmp.QueryBlockJobsAsync(Deadline.After(60)));

        await QuitAsync(source);
        await QuitAsync(destination);
        var expected = content.ToArray();
        expected.AsSpan(1 << 20, 64 << 10).Fill(0x11);
        expected.AsSpan(5 << 20, 64 << 10).Fill(0x22);
        Assert.Equal(expected, await ReadOverlayAsync(source));
        Assert.Equal(expected, await ReadOverlayAsync(destination));
        Assert.Equal(content, await File.ReadAllBytesAsync(package["base.raw"], TestContext.Current.CancellationToken));
        Assert.InRange((await new QemuImg().InfoAsync(destination.Folder["disk.qcow2"], Deadline.After(60))).ActualSize, 1, DiskBytes / 2);
    }

    private static Task<TestGuest> StartAsync(TestFolder package, bool incoming) => TestGuest.StartAsync((machine, folder) =>
    {
        new QemuImg().CreateOverlayAsync(folder["disk.qcow2"], package["base.raw"], Deadline.After(60)).GetAwaiter().GetResult();
        return machine with { Incoming = incoming, StartPaused = incoming, Disk = new(folder["disk.qcow2"], package["base.raw"]) };
    });

    /// <summary>As the guest's disk writes: through the device's own block backend.</summary>
    private static async Task WriteAsync(TestGuest guest, byte pattern, int offset)
    {
        var answer = await guest.Qmp.HumanMonitorAsync($"qemu-io -d disk0/virtio-backend \"write -P {pattern} {offset} 64k\"", Deadline.After(60));
        // What qemu-io reports goes to QEMU's own output; only errors are answered.
        Assert.Equal("", answer);
    }

    private static async Task QuitAsync(TestGuest guest)
    {
        await guest.Qmp.QuitAsync(Deadline.After(60));
        Assert.Equal(0, await guest.Process.WaitForExitAsync(Deadline.After(60)));
    }

    private static async Task<byte[]> ReadOverlayAsync(TestGuest guest)
    {
        using var convert = Process.Start("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", guest.Folder["disk.qcow2"], guest.Folder["disk.raw"]]);
        await convert.WaitForExitAsync(Deadline.After(60));
        Assert.Equal(0, convert.ExitCode);
        return await File.ReadAllBytesAsync(guest.Folder["disk.raw"], TestContext.Current.CancellationToken);
    }
}
