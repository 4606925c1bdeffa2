using System.Runtime.Versioning;

namespace Architekt.Fabric.Qemu.Tests.Guests;

[SupportedOSPlatform("linux")]
public sealed class QemuLifecycleTests
{
    [Fact]
    public async Task Firmware_StopContQuit_EventsAndExitFollow()
    {
        var before = DateTimeOffset.UtcNow;
        await using var guest = await TestGuest.StartAsync();
        Assert.True(guest.Qmp.QemuVersion >= QemuBinary.MinimumVersion);
        Assert.Equal(new QmpStatus(true, RunState.Running), await guest.Qmp.QueryStatusAsync(Deadline.After(60)));

        var stop = guest.Qmp.WaitForEventAsync(QmpEventNames.Stop, null, Deadline.After(60));
        await guest.Qmp.StopAsync(Deadline.After(60));
        var stopped = await stop;
        Assert.Equal(RunState.Paused, (await guest.Qmp.QueryStatusAsync(Deadline.After(60))).Status);

        var resume = guest.Qmp.WaitForEventAsync(QmpEventNames.Resume, null, Deadline.After(60));
        await guest.Qmp.ContinueAsync(Deadline.After(60));
        var resumed = await resume;
        Assert.InRange(stopped.Timestamp, before.AddMilliseconds(-1), resumed.Timestamp);
        Assert.InRange(resumed.Timestamp, stopped.Timestamp, DateTimeOffset.UtcNow);

        var shutdown = guest.Qmp.WaitForEventAsync(QmpEventNames.Shutdown, null, Deadline.After(60));
        await guest.Qmp.QuitAsync(Deadline.After(60));
        await shutdown;
        Assert.Equal(0, await guest.Process.WaitForExitAsync(Deadline.After(60)));
        await guest.Qmp.Completion.WaitAsync(Deadline.After(60));
    }

    [Theory]
    [InlineData(QemuMachineType.Q35)]
    [InlineData(QemuMachineType.Microvm)]
    public async Task AllDevices_BothMachineTypes_SitAtTheirAddresses(QemuMachineType type)
    {
        TestGuest.RequireQemu();
        Assert.SkipUnless(QemuBinary.FindInPath("qemu-img") is not null, "qemu-img is not installed");
        await using var guest = await TestGuest.StartAsync((machine, folder) =>
        {
            File.WriteAllBytes(folder["base.raw"], new byte[1 << 20]);
            new QemuImg().CreateOverlayAsync(folder["disk.qcow2"], folder["base.raw"], Deadline.After(60)).GetAwaiter().GetResult();
            return machine with
            {
                Type = type,
                VirtualCpus = 2,
                StartPaused = true,
                ConsoleSocketPath = folder["console"],
                ConsoleLogPath = folder["console.log"],
                LivenessSocketPath = folder["liveness"],
                AgentSocketPath = folder["agent"],
                Disk = new(folder["disk.qcow2"], folder["base.raw"]),
            };
        });
        Assert.Equal(RunState.Prelaunch, (await guest.Qmp.QueryStatusAsync(Deadline.After(60))).Status);
        foreach (var socket in (string[])["console", "liveness", "agent"]) Assert.True(File.Exists(guest.Folder[socket]), socket);
        var pci = await guest.Qmp.HumanMonitorAsync("info pci", Deadline.After(60));
        Assert.Matches(@"device +3, function 0:\s+Class 1920", pci); // communication controller: virtio-serial
        Assert.Matches(@"device +4, function 0:\s+SCSI controller", pci);
        Assert.Matches(@"device +6, function 0:\s+Class 0?255", pci); // virtio-rng
        var nodes = await guest.Qmp.QueryNamedBlockNodesAsync(Deadline.After(60));
        var (disk, backing) = (nodes.Single(node => node.NodeName == QemuCommandLine.DiskNodeName), nodes.Single(node => node.NodeName == "base"));
        Assert.Equal(("qcow2", false), (disk.Drv, disk.Ro));
        Assert.Equal(("raw", true), (backing.Drv, backing.Ro));
        Assert.Equal(guest.Machine.MemoryBytes, new FileInfo(guest.Machine.MemoryPath).Length);
    }

    [Fact]
    public async Task Cpu_ModelsAndFeatures_CanBeAsked()
    {
        await using var guest = await TestGuest.StartAsync((machine, _) => machine with { StartPaused = true });
        var models = await guest.Qmp.QueryCpuDefinitionsAsync(Deadline.After(60));
        Assert.Contains(models, model => model.Name == "max" && model.UnavailableFeatures is not null);
        var features = (await guest.Qmp.QueryCpuModelAsync("max", Deadline.After(60))).EnabledFeatures();
        Assert.Contains("lm", features);
        Assert.Contains("sse2", features);
        Assert.Equal("pc-q35", (await guest.Qmp.QomGetAsync("/machine", "type", Deadline.After(60))).GetString()![..6]);
    }

    [Fact]
    public async Task Error_FromRealQemu_HasClassAndText()
    {
        await using var guest = await TestGuest.StartAsync((machine, _) => machine with { StartPaused = true });
        var unknown = await Assert.ThrowsAsync<QmpException>(() => guest.Qmp.ExecuteAsync("no-such-command", Deadline.After(60)));
        Assert.Equal("CommandNotFound", unknown.ErrorClass);
        var missing = await Assert.ThrowsAsync<QmpException>(() => guest.Qmp.BlockdevDelAsync("no-such-node", Deadline.After(60)));
        Assert.Contains("no-such-node", missing.Description, StringComparison.Ordinal);
        Assert.Empty(await guest.Qmp.QueryBlockJobsAsync(Deadline.After(60)));
    }

    [Fact]
    public async Task Killed_UnderACommand_ConnectionSaysSoAndExitCodeIsTheSignal()
    {
        await using var guest = await TestGuest.StartAsync((machine, _) => machine with { StartPaused = true });
        var waiting = guest.Qmp.WaitForEventAsync(QmpEventNames.Resume, null, Deadline.After(60));
        Assert.True(guest.Process.Identity.Kill());
        await Assert.ThrowsAsync<QmpConnectionException>(() => waiting);
        Assert.Equal(137, await guest.Process.WaitForExitAsync(Deadline.After(60)));
    }

    [Theory]
    [InlineData("-device", "no-such-device", "no-such-device")]
    [InlineData("-kernel", "/no/such/kernel", "/no/such/kernel")]
    public async Task Start_WrongOption_ShowsWhatQemuSays(string option, string value, string expected)
    {
        var exception = await Assert.ThrowsAsync<QemuStartException>(
            () => TestGuest.StartAsync((machine, _) => machine with { AdditionalArguments = [option, value] }));
        Assert.Equal(1, exception.ExitCode);
        Assert.Contains(expected, exception.StandardError, StringComparison.Ordinal);
        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_AsNobodyInItsSandbox_RunsAndLeavesWhenAsked()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root, to become somebody else");
        await using var guest = await TestGuest.StartAsync(
            (machine, folder) =>
            {
                File.SetUnixFileMode(folder.Path, (UnixFileMode)0b111_111_111);
                File.WriteAllBytes(machine.MemoryPath, []);
                File.SetUnixFileMode(machine.MemoryPath, (UnixFileMode)0b110_110_110);
                return machine;
            },
            options => options with { UserId = 65534, GroupId = 65534 });
        var status = await File.ReadAllLinesAsync($"/proc/{guest.Process.Pid}/status", TestContext.Current.CancellationToken);
        Assert.Contains("Uid:\t65534\t65534\t65534\t65534", status);
        Assert.Contains("Seccomp:\t2", status);
        await guest.Qmp.QuitAsync(Deadline.After(60));
        Assert.Equal(0, await guest.Process.WaitForExitAsync(Deadline.After(60)));
    }
}
