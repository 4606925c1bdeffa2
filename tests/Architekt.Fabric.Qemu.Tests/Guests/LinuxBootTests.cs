using System.Text;

namespace Architekt.Fabric.Qemu.Tests.Guests;

/// <summary>
/// Boots a kernel and an initramfs, named by ARCHITEKT_TEST_KERNEL and ARCHITEKT_TEST_INITRD, whose init prints ARCHITEKT_TEST_MARKER
/// (by default "Linux version", which the kernel prints itself) on ttyS0.
/// </summary>
public sealed class LinuxBootTests
{
    [Theory]
    [InlineData(QemuMachineType.Q35)]
    [InlineData(QemuMachineType.Microvm)]
    public async Task Boot_Linux_ReachesItsConsole(QemuMachineType type)
    {
        var kernel = Environment.GetEnvironmentVariable("ARCHITEKT_TEST_KERNEL");
        var initrd = Environment.GetEnvironmentVariable("ARCHITEKT_TEST_INITRD");
        Assert.SkipWhen(kernel is null || initrd is null, "ARCHITEKT_TEST_KERNEL and ARCHITEKT_TEST_INITRD are not set");
        var marker = Environment.GetEnvironmentVariable("ARCHITEKT_TEST_MARKER") ?? "Linux version";
        await using var guest = await TestGuest.StartAsync((machine, folder) => machine with
        {
            Type = type,
            MemoryBytes = 256L << 20,
            KernelPath = kernel,
            InitrdPath = initrd,
            KernelCommandLine = "console=ttyS0 panic=-1",
            ConsoleSocketPath = folder["console"],
            ConsoleLogPath = folder["console.log"],
            LivenessSocketPath = folder["liveness"],
            AgentSocketPath = folder["agent"],
        });
        using var printed = new MemoryStream();
        await foreach (var piece in ConsoleLog.FollowAsync(guest.Folder["console.log"], 0, TimeProvider.System, Deadline.After(120)))
        {
            printed.Write(piece.Span);
            if (Encoding.UTF8.GetString(printed.ToArray()).Contains(marker, StringComparison.Ordinal)) break;
        }
        await guest.Qmp.QuitAsync(Deadline.After(60));
        Assert.Equal(0, await guest.Process.WaitForExitAsync(Deadline.After(60)));
    }
}
