using System.Diagnostics;
using System.Globalization;

namespace Architekt.Fabric.Memory.Tests;

/// <summary>The real thing: a Linux that checks its own memory all the time is suspended, and resumed before its RAM is there.</summary>
public sealed class QemuLazyTests : IDisposable
{
    private const string Qemu = "/usr/bin/qemu-system-x86_64";
    private const string Busybox = "/bin/busybox";
    private const int MiB = 1 << 20;

    // Arguments of the first process, so they must not have double quotes in them.
    private const string Script =
        "b=/bin/busybox; $b mount -t devtmpfs dev /dev; $b head -c 16777216 /dev/urandom >/f; s=$($b md5sum </f); " +
        "while :; do t=$($b md5sum </f); case $t in $s) echo intact;; *) echo BROKEN;; esac; done";

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(FillMode.None, 256)]
    [InlineData(FillMode.Now, 256)]
    [InlineData(FillMode.Idle, 2048)]
    public async Task Resume_RamComesWhileLinuxRuns_ItsMemoryIsIntact(FillMode mode, int megabytes)
    {
        Guest.SkipUnlessTracking();
        Assert.SkipUnless(File.Exists(Qemu), $"{Qemu} is not installed");
        var blueprint = Environment.GetEnvironmentVariable("ARCHITEKT_TEST_GUEST");
        Assert.SkipWhen(string.IsNullOrEmpty(blueprint), "ARCHITEKT_TEST_GUEST does not name a folder with a kernel.");
        Assert.SkipUnless(File.Exists(Busybox) && File.Exists("/usr/bin/cpio"), "busybox-static or cpio is not installed");
        var token = TestContext.Current.CancellationToken;
        MakeInitramfs();
        using var suspended = GuestMemory.Create(_folder["package"], (long)megabytes * MiB);
        await SuspendAsync(blueprint!, suspended);

        using var ram = GuestMemory.Create(_folder["ram"], suspended.Length);
        var begin = Stopwatch.GetTimestamp();
        var qemu = Start(blueprint!, ram, ArmingLibrary.Environment(ram.Path, _folder["report"], lazy: true), "-incoming", "defer");
        try
        {
            using var package = PackageMemory.Open(suspended.Path);
            using var tracker = DirtyTracker.Attach(Guest.ReadReport(_folder["report"], qemu));
            await using var fill = LazyFill.Start(ram, tracker, package, new LazyFillOptions { Mode = mode });
            Qmp.Execute(qemu, "qmp_capabilities");
            IgnoreShared(qemu);
            Qmp.Execute(qemu, "migrate-incoming", $"{{\"uri\":\"exec:cat {_folder["state"]}\"}}");
            await Qmp.UntilAsync(qemu, "query-migrate", "completed", 30);
            Qmp.Execute(qemu, "cont");
            await Qmp.UntilAsync(qemu, "query-status", "running", 30);
            TestContext.Current.TestOutputHelper?.WriteLine($"running after {Stopwatch.GetElapsedTime(begin).TotalMilliseconds:0} ms, {fill.Progress}");

            await IntactAsync(_folder["ram.console"], 2);
            TestContext.Current.TestOutputHelper?.WriteLine($"looked twice after {Stopwatch.GetElapsedTime(begin).TotalMilliseconds:0} ms, {fill.Progress}");
            if (mode == FillMode.None)
                Assert.InRange(fill.Progress.ResidentBytes, MiB, package.DataPages * GuestMemory.PageSize * 3 / 4);
            await fill.CompleteAsync(token);
            await IntactAsync(_folder["ram.console"], 4);

            // A destination that has the package needs what differs from it, and no more.
            Qmp.Execute(qemu, "stop");
            var ranges = new List<PageRange>();
            Assert.Equal(DirtyScanOutcome.Complete, tracker.Collect(ranges).Outcome);
            TestContext.Current.TestOutputHelper?.WriteLine($"{fill.Progress}, {tracker.Written.Pages} pages differ");
            Assert.InRange(tracker.Written.Pages, 1, package.DataPages / 2);
            using var destination = new Replica(ram, _folder["copy"]);
            destination.CopyFrom(suspended);
            destination.Copy(tracker.Written);
            destination.AssertEqualsSource();
        }
        finally
        {
            Guest.End(qemu);
        }
    }

    /// <summary>Busybox and nothing else: the kernel brings the console along.</summary>
    private void MakeInitramfs()
    {
        Directory.CreateDirectory(_folder["root/bin"]);
        Directory.CreateDirectory(_folder["root/dev"]);
        File.Copy(Busybox, _folder["root/bin/busybox"]);
        using var cpio = Process.Start("/bin/sh", ["-c", $"cd {_folder["root"]} && find . | cpio --quiet -o -H newc >{_folder["initramfs"]}"]);
        cpio.WaitForExit();
        Assert.Equal(0, cpio.ExitCode);
    }

    private async Task SuspendAsync(string blueprint, GuestMemory ram)
    {
        var qemu = Start(blueprint, ram, new Dictionary<string, string>());
        try
        {
            Qmp.Execute(qemu, "qmp_capabilities");
            IgnoreShared(qemu);
            Qmp.Execute(qemu, "cont");
            await IntactAsync(_folder["package.console"], 1);
            Qmp.Execute(qemu, "stop");
            Qmp.Execute(qemu, "migrate", $"{{\"uri\":\"exec:cat > {_folder["state"]}\"}}");
            await Qmp.UntilAsync(qemu, "query-migrate", "completed", 30);
        }
        finally
        {
            Guest.End(qemu);
        }
    }

    private Process Start(string blueprint, GuestMemory ram, IReadOnlyDictionary<string, string> environment, params string[] more)
    {
        var size = (ram.Length / MiB).ToString(CultureInfo.InvariantCulture);
        return Guest.Launch(
            environment, Qemu, [
                "-accel", "tcg", "-cpu", "max", "-M", "q35,memory-backend=ram", "-m", $"{size}M", "-nodefaults", "-no-user-config", "-display", "none", "-S", "-qmp", "stdio",
                "-object", $"memory-backend-file,id=ram,size={size}M,mem-path={ram.Path},share=on",
                "-kernel", Path.Combine(blueprint, "kernel"), "-initrd", _folder["initramfs"],
                "-append", $"console=ttyS0 quiet panic=-1 rdinit=/bin/busybox -- sh -c \"{Script}\"", "-serial", $"file:{ram.Path}.console", .. more]);
    }

    private static void IgnoreShared(Process qemu) =>
        Qmp.Execute(qemu, "migrate-set-capabilities", """{"capabilities":[{"capability":"x-ignore-shared","state":true}]}""");

    /// <summary>Waits until the guest has looked at its memory so many times more, and found it as it was.</summary>
    private static async Task IntactAsync(string console, int times)
    {
        for (var begin = Stopwatch.GetTimestamp(); ;)
        {
            var text = File.Exists(console) ? await File.ReadAllTextAsync(console, TestContext.Current.CancellationToken) : "";
            Assert.DoesNotContain("BROKEN", text, StringComparison.Ordinal);
            if (text.Split("intact").Length > times)
                return;
            Assert.True(Stopwatch.GetElapsedTime(begin).TotalSeconds < 60, $"The guest says nothing more: {text}");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }
}
