using System.Diagnostics;
using System.Globalization;

namespace Architekt.Fabric.Memory.Tests;

/// <summary>The real thing, without a kernel: the firmware is guest enough to write to its RAM.</summary>
public sealed class QemuArmingTests : IDisposable
{
    private const string Qemu = "/usr/bin/qemu-system-x86_64";
    private const int User = 64910;
    private const int MiB = 1 << 20;
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Firmware_UnprivilegedAndSandboxed_IsTrackedWithoutLosingAWrite()
    {
        Guest.SkipUnlessTracking();
        Assert.SkipUnless(File.Exists(Qemu), $"{Qemu} is not installed");
        Assert.SkipUnless(File.Exists("/usr/bin/setpriv"), "setpriv (util-linux) is not installed");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "becoming an unprivileged user needs root");
        Assert.SkipUnless(File.Exists("/dev/userfaultfd"), "no /dev/userfaultfd: Linux 6.1 or newer is needed");

        _folder.OpenToEverybody();
        using var ram = GuestMemory.Create(_folder["ram"], 64 * MiB, User, User);
        var qemu = Start(ram);
        try
        {
            var mapping = Guest.ReadReport(_folder["report"], qemu);
            Assert.Equal((ulong)ram.Length, mapping.Length);
            Assert.Contains($"Uid:\t{User}\t{User}", File.ReadAllText($"/proc/{mapping.Pid}/status"), StringComparison.Ordinal);
            using var tracker = DirtyTracker.Attach(mapping);
            using var replica = new Replica(ram, _folder["copy"]);
            Qmp.Execute(qemu, "qmp_capabilities");
            tracker.ProtectAll();
            replica.CopyAll();

            var ranges = new List<PageRange>();
            long pages = 0;
            Qmp.Execute(qemu, "cont");
            var begin = Stopwatch.GetTimestamp();
            while (pages < 50 && Stopwatch.GetElapsedTime(begin) < TimeSpan.FromSeconds(30))
                pages += Round();
            Assert.True(pages >= 50, $"the firmware wrote only {pages} pages in 30 s");

            for (var migration = 0; migration < 5; migration++)
            {
                Qmp.Execute(qemu, "stop");
                Round();
                replica.AssertEqualsSource();
                Qmp.Execute(qemu, "system_reset");
                Qmp.Execute(qemu, "cont");
                for (var round = 0; round < 20; round++)
                    Round();
            }

            long Round()
            {
                var scan = tracker.Collect(ranges);
                Assert.Equal(DirtyScanOutcome.Complete, scan.Outcome);
                replica.Copy(ranges);
                return scan.Pages;
            }
        }
        finally
        {
            Guest.End(qemu);
        }
    }

    private Process Start(GuestMemory ram)
    {
        using var device = UserfaultDevice.OpenInheritable();
        var size = (ram.Length / MiB).ToString(CultureInfo.InvariantCulture);
        var user = User.ToString(CultureInfo.InvariantCulture);
        return Guest.Launch(
            ArmingLibrary.Environment(_folder.CopyArmingLibrary(), ram.Path, _folder["report"], device.Descriptor, lazy: false),
            "setpriv", "--reuid", user, "--regid", user, "--clear-groups",
            Qemu, "-accel", "tcg", "-M", "q35,memory-backend=ram", "-m", $"{size}M", "-nodefaults", "-display", "none", "-S", "-qmp", "stdio",
            "-object", $"memory-backend-file,id=ram,size={size}M,mem-path={ram.Path},share=on",
            "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
    }
}
