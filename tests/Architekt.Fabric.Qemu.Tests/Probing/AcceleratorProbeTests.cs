namespace Architekt.Fabric.Qemu.Tests.Probing;

public sealed class AcceleratorProbeTests
{
    private static AcceleratorProbeOptions Patient => new() { Timeout = TimeSpan.FromSeconds(60) };

    [Fact]
    public async Task Boot_TestImageUnderTcg_ReportsFromLongMode()
    {
        RequireQemu();
        Assert.Null(await BootAsync(Patient, "tcg", "max", LongModeImage.Build()));
    }

    [Fact]
    public async Task Boot_AsNobody_Works()
    {
        RequireQemu();
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root, to become somebody else");
        Assert.Null(await BootAsync(Patient with { UserId = 65534, GroupId = 65534 }, "tcg", "max", LongModeImage.Build()));
    }

    [Fact]
    public async Task Boot_ProcessorWithoutLongMode_DoesNotReport()
    {
        RequireQemu();
        // A Pentium takes the first half of the way; where it ends then (reset or halt) is its own affair.
        Assert.NotNull(await BootAsync(new() { Timeout = TimeSpan.FromSeconds(3) }, "tcg", "pentium", LongModeImage.Build()));
    }

    [Fact]
    public async Task Boot_HaltsForever_TimesOut()
    {
        RequireQemu();
        var image = LongModeImage.Build();
        (image[0], image[1], image[2], image[3]) = (0xfa, 0xf4, 0xeb, 0xfd); // cli; hlt; jmp to the hlt
        var failure = await BootAsync(new() { Timeout = TimeSpan.FromSeconds(3) }, "tcg", "max", image);
        Assert.Equal("it did not report from long mode within 3 s", failure);
    }

    [Fact]
    public async Task Boot_AcceleratorMissing_QuotesQemu()
    {
        RequireQemu();
        var failure = await BootAsync(Patient, "xen", "max", LongModeImage.Build());
        Assert.Contains("QEMU ended with exit code", failure, StringComparison.Ordinal);
        Assert.Contains("xen", failure, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Probe_ThisHost_HasAReason()
    {
        RequireQemu();
        var result = await AcceleratorProbe.ProbeAsync(new(), TimeProvider.System, null, Deadline.After(60));
        if (!File.Exists(AcceleratorProbe.KvmDevice)) Assert.Equal(QemuAccelerator.Tcg, result.Accelerator);
        Assert.Contains(result.Accelerator == QemuAccelerator.Kvm ? "booted" : "/dev/kvm", result.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Probe_NoQemu_NamesThePackage() => Assert.Contains(
        "qemu-system-x86",
        (await Assert.ThrowsAsync<QemuStartException>(
            () => AcceleratorProbe.ProbeAsync(new() { Binary = "qemu-system-nothing" }, TimeProvider.System, null, Deadline.After(20)))).Message,
        StringComparison.Ordinal);

    private static Task<string?> BootAsync(AcceleratorProbeOptions options, string accelerator, string model, byte[] image) =>
        AcceleratorProbe.BootAsync(options, accelerator, model, image, TimeProvider.System, null, Deadline.After(90));

    private static void RequireQemu() =>
        Assert.SkipUnless(QemuBinary.FindInPath(QemuBinary.DefaultName) is not null, "qemu-system-x86_64 is not installed");
}
