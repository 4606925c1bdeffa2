using Architekt.Fabric.Memory.Interop;

namespace Architekt.Fabric.Memory.Tests;

public sealed class DirtyTrackerTests
{
    private const int Page = GuestMemory.PageSize;
    private readonly List<PageRange> _ranges = [];

    [Fact]
    public void Collect_PagesWritten_ReportsExactlyThemOnce()
    {
        using var guest = Guest.Start(4096);
        using var tracker = guest.Attach();
        guest.Do("write 3 1", "write 4 1", "poke 700 5 1", "write 4095 9");
        var scan = tracker.Collect(_ranges);
        Assert.Equal((DirtyScanOutcome.Complete, 4), (scan.Outcome, scan.Pages));
        Assert.Equal([new PageRange(3 * Page, 2 * Page), new PageRange(700 * Page, Page), new PageRange(4095 * Page, Page)], _ranges);
        Assert.True(scan.Elapsed > TimeSpan.Zero);
        Assert.Equal(0, tracker.Collect(_ranges).Pages);
        Assert.Empty(_ranges);
    }

    [Fact]
    public void Collect_PageWrittenAgain_ReportsItAgain()
    {
        using var guest = Guest.Start(64);
        using var tracker = guest.Attach();
        for (var round = 0; round < 5; round++)
        {
            guest.Do($"poke 7 0 {round}");
            Assert.Equal(1, tracker.Collect(_ranges).Pages);
        }
    }

    [Fact]
    public void Collect_PagesOnlyRead_ReportsNothing()
    {
        using var guest = Guest.Start(2048);
        guest.Do("write 5 1");
        using var tracker = guest.Attach();
        guest.Do("touch 5", "touch 6", "touch 1500");
        Assert.Equal(0, tracker.Collect(_ranges).Pages);
    }

    [Fact]
    public void Collect_PageWrittenByTheKernel_ReportsIt()
    {
        using var guest = Guest.Start(2048);
        guest.Do("write 5 1");
        using var tracker = guest.Attach();
        guest.Do("kernel 5", "kernel 1900");
        tracker.Collect(_ranges);
        Assert.Equal([new PageRange(5 * Page, Page), new PageRange(1900 * Page, Page)], _ranges);
    }

    [Fact]
    public void Collect_CleanPagesWithinTheMergeGap_AreNotReported()
    {
        using var guest = Guest.Start(2048);
        using var tracker = guest.Attach(mergeGapPages: 100);
        guest.Do("write 0 1", "write 10 1", "write 90 1");
        tracker.Collect(_ranges);
        Assert.Equal([new PageRange(0, Page), new PageRange(10 * Page, Page), new PageRange(90 * Page, Page)], _ranges);
        Assert.Equal(0, tracker.Collect(_ranges).Pages);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, 1000)]
    [InlineData(3, 1)]
    public void Collect_VectorTooShort_StillReportsAll(int regionCapacity, int mergeGapPages)
    {
        using var guest = Guest.Start(4096);
        using var tracker = guest.Attach(mergeGapPages, regionCapacity);
        var pages = Enumerable.Range(0, 4096).Where(page => page % 3 == 0 || page is > 1000 and < 1700).ToArray();
        guest.Do(pages.Select(page => $"poke {page} 0 1"));
        Assert.Equal(pages.Length, tracker.Collect(_ranges).Pages);
        Assert.Equal(pages, _ranges.SelectMany(range => Enumerable.Range((int)(range.Offset / Page), (int)range.Pages)));
        Assert.All(_ranges.Zip(_ranges.Skip(1)), pair => Assert.True(pair.First.End < pair.Second.Offset, "neighbours are one range"));
        Assert.Equal(0, tracker.Collect(_ranges).Pages);
    }

    /// <summary>The kernel gathers 512 regions at a time, so these scans take it several turns.</summary>
    [Theory]
    [InlineData(4096)]
    [InlineData(1024)]
    [InlineData(1500)]
    [InlineData(600)]
    public void Collect_ManyScatteredPages_ReportsEachOnce(int regionCapacity)
    {
        using var guest = Guest.Start(16384);
        using var tracker = guest.Attach(mergeGapPages: 0, regionCapacity);
        var pages = Enumerable.Range(0, 1500).Select(i => i * 10).ToArray();
        for (var round = 1; round <= 2; round++)
        {
            guest.Do(pages.Select(page => $"poke {page} 0 {round}"));
            Assert.Equal(1500, tracker.Collect(_ranges).Pages);
            Assert.Equal(pages.Select(page => new PageRange((long)page * Page, Page)), _ranges);
        }
        Assert.Equal(0, tracker.Collect(_ranges).Pages);
    }

    [Fact]
    public void ProtectAll_AfterWrites_ForgetsThem()
    {
        using var guest = Guest.Start(1024);
        using var tracker = guest.Attach();
        guest.Do("write 1 1", "write 1000 1");
        tracker.ProtectAll();
        Assert.Equal(0, tracker.Collect(_ranges).Pages);
    }

    [Fact]
    public void Written_AfterSeveralScans_IsAllTheyReported()
    {
        using var guest = Guest.Start(1024);
        using var tracker = guest.Attach();
        guest.Do("write 1 1", "write 1000 1");
        tracker.Collect(_ranges);
        guest.Do("write 2 1");
        Assert.Equal(2, tracker.Written.Pages);
        tracker.Collect(_ranges);
        Assert.Equal([new PageRange(Page, 2 * Page), new PageRange(1000 * Page, Page)], tracker.Written);
        tracker.ProtectAll();
        Assert.True(tracker.Written.IsEmpty);
    }

    [Fact]
    public void Written_ScanNotComplete_IsEverything()
    {
        using var guest = Guest.Start(1024);
        using var tracker = guest.Attach();
        guest.Do($"disarm {guest.Mapping.UserfaultDescriptor}");
        tracker.Collect(_ranges);
        Assert.Equal([new PageRange(0, 1024 * Page)], tracker.Written);
    }

    /// <summary>What a guest writes while its mapping is not registered cannot be seen in its page tables, only in the file.</summary>
    [Fact]
    public void StopServing_PageMadeMeanwhile_IsReported()
    {
        using var guest = Guest.Start(4096, lazy: true);
        using var tracker = guest.Attach();
        using var process = Libc.OpenProcess(Libc.SystemCallPidfdOpen, guest.Mapping.Pid, 0);
        using var userfault = Libc.GetDescriptor(Libc.SystemCallPidfdGetDescriptor, process, guest.Mapping.UserfaultDescriptor, 0);
        guest.Memory.GetSpan(1500 * Page, 1)[0] = 1;
        guest.Memory.GetSpan(3500 * Page, 1)[0] = 1;

        tracker.StopServing(userfault, guest.Memory, new PageRange(1000 * Page, 2000 * Page));
        guest.Do("touch 1000", "touch 1500", "write 2999 1");

        tracker.Collect(_ranges);
        Assert.Equal([new PageRange(1500 * Page, Page), new PageRange(2999 * Page, Page)], _ranges);
    }

    [Fact]
    public void Collect_AfterTheFirst_AllocatesNothing()
    {
        using var guest = Guest.Start(1024);
        using var tracker = guest.Attach();
        var writes = Enumerable.Range(0, 300).Select(i => $"write {i * 3} 1").ToArray();
        guest.Do(writes);
        tracker.Collect(_ranges);
        guest.Do(writes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var scan = tracker.Collect(_ranges);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(300, scan.Pages);
    }

    [Fact]
    public void Collect_ProcessEnded_SaysSo()
    {
        using var guest = Guest.Start(64);
        using var tracker = guest.Attach();
        guest.Do("write 1 1");
        guest.Process.Kill();
        guest.Process.WaitForExit();
        Assert.Equal(DirtyScanOutcome.ProcessGone, tracker.Collect(_ranges).Outcome);
        Assert.Throws<IOException>(tracker.ProtectAll);
        Assert.Throws<IOException>(() => DirtyTracker.Attach(guest.Mapping));
    }

    [Fact]
    public void Collect_UserfaultDescriptorClosed_SaysDisarmed()
    {
        using var guest = Guest.Start(64);
        using var tracker = guest.Attach();
        guest.Do($"disarm {guest.Mapping.UserfaultDescriptor}", "write 1 1");
        Assert.Equal(DirtyScanOutcome.Disarmed, tracker.Collect(_ranges).Outcome);
        Assert.Contains("not under", Assert.Throws<IOException>(tracker.ProtectAll).Message, StringComparison.Ordinal);
    }
}
