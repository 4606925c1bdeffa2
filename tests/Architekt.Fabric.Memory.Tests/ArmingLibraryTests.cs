using System.Diagnostics;
using System.Globalization;

namespace Architekt.Fabric.Memory.Tests;

public sealed class ArmingLibraryTests : IDisposable
{
    private const string User = "64910";
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Path_AfterTheBuild_LiesBesideTheExecutable()
    {
        Assert.Equal(AppContext.BaseDirectory, System.IO.Path.GetDirectoryName(ArmingLibrary.Path) + "/");
        Assert.True(File.Exists(ArmingLibrary.Path));
    }

    [Fact]
    public void Environment_AllOptions_NamesEveryVariable()
    {
        var variables = ArmingLibrary.Environment("/ram", "/report", 12, lazy: true);
        Assert.Equal(ArmingLibrary.Path, variables["LD_PRELOAD"]);
        Assert.Equal("/ram", variables["ARCHITEKT_RAM_FILE"]);
        Assert.Equal("/report", variables["ARCHITEKT_RAM_REPORT"]);
        Assert.Equal("12", variables["ARCHITEKT_UFFD_DEVICE_FD"]);
        Assert.Equal("1", variables["ARCHITEKT_RAM_LAZY"]);
    }

    [Fact]
    public void Environment_LibraryMissingOrNotPreloadable_Throws()
    {
        Assert.Throws<FileNotFoundException>(() => ArmingLibrary.Environment(_folder["absent.so"], "/ram", "/report", null, false));
        File.Copy(ArmingLibrary.Path, _folder["with space.so"]);
        Assert.Throws<ArgumentException>(() => ArmingLibrary.Environment(_folder["with space.so"], "/ram", "/report", null, false));
    }

    [Fact]
    public void Mapping_OfTheRamFile_IsReportedOnceAndWhole()
    {
        using var guest = Guest.Start(256);
        Assert.Equal(guest.Process.Id, guest.Mapping.Pid);
        Assert.Equal((ulong)guest.Memory.Length, guest.Mapping.Length);
        var line = File.ReadLines($"/proc/{guest.Mapping.Pid}/maps").Single(line => line.EndsWith(guest.Memory.Path, StringComparison.Ordinal));
        Assert.StartsWith($"{guest.Mapping.Address:x}-{guest.Mapping.Address + guest.Mapping.Length:x} ", line, StringComparison.Ordinal);
        Assert.Equal("anon_inode:[userfaultfd]", new FileInfo($"/proc/{guest.Mapping.Pid}/fd/{guest.Mapping.UserfaultDescriptor}").LinkTarget);
        Assert.False(File.Exists(guest["report.tmp"]));

        File.Delete(guest["report"]);
        guest.Do("again");
        Assert.False(File.Exists(guest["report"]));
        Assert.Equal("0", guest.Ask("variables"));
    }

    [Fact]
    public void Mapping_OfAnotherFile_IsLeftAlone()
    {
        Guest.SkipUnlessTracking();
        using var ram = GuestMemory.Create(_folder["ram"], 1 << 20);
        using var other = GuestMemory.Create(_folder["other"], 1 << 20);
        var process = Guest.Launch(ArmingLibrary.Environment(ram.Path, _folder["report"]), Guest.Program, other.Path);
        try
        {
            process.StandardInput.WriteLine("write 1 1");
            Assert.Equal("ok", process.StandardOutput.ReadLine());
            Assert.False(File.Exists(_folder["report"]));
            Assert.Throws<IOException>(DirtyTracker.Attach(Unarmed(process, other)).ProtectAll);
        }
        finally
        {
            Guest.End(process);
        }
    }

    [Fact]
    public void Heap_GrowsWithoutPageFaults_AndIsKept()
    {
        using var guest = Guest.Start(1);

        // 8 MiB are 2048 pages, each time.
        Assert.InRange(int.Parse(guest.Ask("heap"), CultureInfo.InvariantCulture), 0, 100);
    }

    [Fact]
    public void Mapping_OfAPart_EndsTheProcess() => AssertFails(ArmingLibrary.Environment(Ram(), _folder["report"]), "only a part", "partly");

    [Fact]
    public void Mapping_ReportCannotBeWritten_EndsTheProcess() => AssertFails(ArmingLibrary.Environment(Ram(), _folder["absent/report"]), "ARCHITEKT_RAM_REPORT");

    [Fact]
    public void Mapping_InheritedDescriptorIsNot_EndsTheProcess() => AssertFails(ArmingLibrary.Environment(Ram(), _folder["report"], 0), "ARCHITEKT_UFFD_DEVICE_FD");

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public void Mapping_UnprivilegedUser_IsTracked(bool inheritDevice, bool lazy)
    {
        SkipUnlessSetpriv();
        _folder.OpenToEverybody();
        using var ram = GuestMemory.Create(_folder["ram"], 4 << 20, 64910, 64910);
        var program = _folder["guest"];

        // By another process: what is open for writing here, a child that another test starts meanwhile holds as well, and then it cannot be executed (execve(2), ETXTBSY).
        using (var copying = Process.Start("cp", [Guest.Program, program])) copying.WaitForExit();
        Process process;
        // The device's descriptor has to be open while the child is started and not a moment longer.
        using (var device = inheritDevice ? UserfaultDevice.OpenInheritable() : null)
        {
            var environment = ArmingLibrary.Environment(_folder.CopyArmingLibrary(), ram.Path, _folder["report"], device?.Descriptor, lazy);
            process = Guest.Launch(environment, "setpriv", "--reuid", User, "--regid", User, "--clear-groups", program, ram.Path);
        }
        try
        {
            var mapping = Guest.ReadReport(_folder["report"], process);
            using var tracker = DirtyTracker.Attach(mapping);
            Assert.Contains($"Uid:\t{User}\t{User}", File.ReadAllText($"/proc/{mapping.Pid}/status"), StringComparison.Ordinal);
            Assert.DoesNotContain(Directory.GetFiles($"/proc/{mapping.Pid}/fd"), file => new FileInfo(file).LinkTarget == "/dev/userfaultfd");
            // Lazy: missing pages would wait for somebody to fill them; these are there.
            ram.GetSpan(0, (int)ram.Length).Fill(1);
            tracker.ProtectAll();
            process.StandardInput.WriteLine("write 9 1\nkernel 700");
            Assert.Equal(("ok", "ok"), (process.StandardOutput.ReadLine(), process.StandardOutput.ReadLine()));
            var ranges = new List<PageRange>();
            tracker.Collect(ranges);
            Assert.Equal([new PageRange(9 * 4096, 4096), new PageRange(700 * 4096, 4096)], ranges);
        }
        finally
        {
            Guest.End(process);
        }
    }

    private static void SkipUnlessSetpriv()
    {
        Guest.SkipUnlessTracking();
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "becoming an unprivileged user needs root");
        Assert.SkipUnless(File.Exists("/usr/bin/setpriv"), "setpriv (util-linux) is not installed");
        Assert.SkipUnless(File.Exists("/dev/userfaultfd"), "no /dev/userfaultfd: Linux 6.1 or newer is needed");
    }

    private static ArmedMapping Unarmed(Process process, GuestMemory memory)
    {
        var line = File.ReadLines($"/proc/{process.Id}/maps").Single(line => line.EndsWith(memory.Path, StringComparison.Ordinal));
        return new ArmedMapping(process.Id, Convert.ToUInt64(line[..line.IndexOf('-', StringComparison.Ordinal)], 16), (ulong)memory.Length, 3);
    }

    private string Ram()
    {
        Guest.SkipUnlessTracking();
        GuestMemory.Create(_folder["ram"], 1 << 20).Dispose();
        return _folder["ram"];
    }

    private void AssertFails(IReadOnlyDictionary<string, string> environment, string because, params string[] more)
    {
        var process = Guest.Launch(environment, Guest.Program, [_folder["ram"], .. more]);
        try
        {
            var error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            Assert.Equal(ArmingLibrary.ExitCodeNotArmed, process.ExitCode);
            Assert.Contains(because, Assert.Single(error.TrimEnd().Split('\n')), StringComparison.Ordinal);
            Assert.False(File.Exists(_folder["report"]));
        }
        finally
        {
            Guest.End(process);
        }
    }
}
