using System.Text;

namespace Architekt.Fabric.Qemu.Tests.Guests;

/// <summary>
/// Boots the kernel and the initramfs of the guest that ARCHITEKT_TEST_GUEST names, as far as the kernel's own first words.
/// </summary>
public sealed class LinuxBootTests
{
    [Theory]
    [InlineData(QemuMachineType.Q35)]
    [InlineData(QemuMachineType.Microvm)]
    public async Task Boot_Linux_ReachesItsConsole(QemuMachineType type)
    {
        var guestFolder = Environment.GetEnvironmentVariable("ARCHITEKT_TEST_GUEST");
        Assert.SkipWhen(string.IsNullOrEmpty(guestFolder), "ARCHITEKT_TEST_GUEST does not name a folder with a kernel and an initramfs");
        await using var guest = await TestGuest.StartAsync((machine, folder) => machine with
        {
            Type = type,
            MemoryBytes = 256L << 20,
            KernelPath = Path.Combine(guestFolder!, "kernel"),
            InitrdPath = Path.Combine(guestFolder!, "initramfs"),
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
            if (Encoding.UTF8.GetString(printed.ToArray()).Contains("Linux version", StringComparison.Ordinal)) break;
        }
        await guest.Qmp.QuitAsync(Deadline.After(60));
        Assert.Equal(0, await guest.Process.WaitForExitAsync(Deadline.After(60)));
    }
}
