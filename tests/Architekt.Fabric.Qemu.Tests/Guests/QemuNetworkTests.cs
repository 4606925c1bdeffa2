namespace Architekt.Fabric.Qemu.Tests.Guests;

public sealed class QemuNetworkTests
{
    [Fact]
    public async Task Tap_InheritedDescriptor_IsTheGuestsCardAndOutlivesOurs()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root, to make a TAP device");
        Assert.SkipUnless(File.Exists(TestTap.ControlDevice), $"there is no {TestTap.ControlDevice}");
        var tap = new TestTap();
        var link = $"/sys/class/net/{tap.Name}";
        TestGuest guest;
        try
        {
            guest = await TestGuest.StartAsync(
                (machine, _) => machine with { Network = new(tap.Descriptor, "52:54:00:ab:cd:ef") },
                options => options with { InheritedDescriptors = [tap.Descriptor] });
        }
        finally
        {
            tap.Dispose();
        }
        await using (guest)
        {
            var network = await guest.Qmp.HumanMonitorAsync("info network", Deadline.After(60));
            Assert.Contains("nic0: index=0,type=nic,model=virtio-net-pci,macaddr=52:54:00:ab:cd:ef", network, StringComparison.Ordinal);
            Assert.Contains("net0: index=0,type=tap", network, StringComparison.Ordinal);
            Assert.True(Directory.Exists(link));
            // In the kernel, vhost would show as a descriptor of its own.
            Assert.DoesNotContain(
                Directory.EnumerateFileSystemEntries($"/proc/{guest.Process.Pid}/fd").Select(path => new FileInfo(path).LinkTarget),
                target => target is not null && target.Contains("vhost", StringComparison.Ordinal));
        }
        Assert.False(Directory.Exists(link));
    }
}
