using System.Runtime.Versioning;
using Architekt.Fabric.Qemu.Tests.Guests;

namespace Architekt.Fabric.Qemu.Tests.Probing;

[SupportedOSPlatform("linux")]
public sealed class CpuFeatureProbeTests
{
    [Fact]
    public async Task Probe_Emulation_NamesEachFeatureOnceAsTheCommandLineDoes()
    {
        TestGuest.RequireQemu();

        var features = await ProbeAsync(QemuBinary.DefaultName);

        Assert.Equal(features.Distinct().Order(StringComparer.Ordinal), features);
        foreach (var expected in (string[])["lm", "sse2", "sse4.1", "cx16"]) Assert.Contains(expected, features);

        // Synonyms, and what is not a feature.
        foreach (var other in (string[])["sse3", "sse4_1", "i64", "check", "migratable", "kvm"]) Assert.DoesNotContain(other, features);
        Assert.Equal(features, await ProbeAsync(QemuBinary.DefaultName));
    }

    [Fact]
    public async Task Guest_FeaturesAreHidden_AreOffInItsCpuAndOthersOn()
    {
        await using var guest = await TestGuest.StartAsync(static (machine, _) => machine with { StartPaused = true, HiddenCpuFeatures = ["avx2", "sse4.2"] });

        Assert.Equal((false, false, true), (await IsOnAsync("avx2"), await IsOnAsync("sse4.2"), await IsOnAsync("sse4.1")));

        async Task<bool> IsOnAsync(string feature) => (await guest.Qmp.QomGetAsync("/machine/unattached/device[0]", feature, Deadline.After(60))).GetBoolean();
    }

    [Fact]
    public async Task Probe_QemuEndsAtOnce_SaysWhatItSaid()
    {
        using var folder = new TestFolder();
        var binary = folder["qemu"];

        // By another process: what is open for writing here, a child that another test starts meanwhile holds as well, and then it cannot be executed (execve(2), ETXTBSY).
        const string write = "printf '#!/bin/sh\\necho no such accelerator >&2\\nexit 1\\n' >\"$0\" && chmod 500 \"$0\"";
        using (var writing = System.Diagnostics.Process.Start("sh", ["-c", write, binary])) await writing.WaitForExitAsync(TestContext.Current.CancellationToken);

        var failure = await Assert.ThrowsAsync<QemuStartException>(() => ProbeAsync(binary));

        Assert.Contains("no such accelerator", failure.Message, StringComparison.Ordinal);
    }

    private static Task<IReadOnlyList<string>> ProbeAsync(string binary) =>
        CpuFeatureProbe.ProbeAsync(binary, QemuAccelerator.Tcg, TimeProvider.System, logger: null, Deadline.After(60));
}
