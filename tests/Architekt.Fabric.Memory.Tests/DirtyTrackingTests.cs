namespace Architekt.Fabric.Memory.Tests;

public sealed class DirtyTrackingTests
{
    [Fact]
    public void Probe_EveryAnswer_HasAReasonIfAndOnlyIfItIsNo()
    {
        var support = DirtyTracking.Probe();
        Assert.Equal(support.IsSupported, support.Reason is null);
        Assert.SkipUnless(support.IsSupported, support.Reason ?? "");
        Assert.True(DirtyTracking.Kernel.Probe().IsSupported);
    }

    [Fact]
    public void Probe_ManyTimes_LeavesNoDescriptorAndNoMapping()
    {
        DirtyTracking.Probe();
        var (descriptors, mappings) = Count();
        for (var i = 0; i < 50; i++)
            DirtyTracking.Probe();
        var after = Count();
        // The runtime opens and maps for itself meanwhile; fifty leaks would stand out.
        Assert.InRange(after.Descriptors, 0, descriptors + 20);
        Assert.InRange(after.Mappings, 0, mappings + 20);

        static (int Descriptors, int Mappings) Count() =>
            (Directory.GetFileSystemEntries("/proc/self/fd").Length, File.ReadLines("/proc/self/maps").Count(line => line.Contains("architekt-probe", StringComparison.Ordinal)));
    }
}
