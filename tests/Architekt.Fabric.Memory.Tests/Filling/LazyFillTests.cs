using Microsoft.Extensions.Time.Testing;

namespace Architekt.Fabric.Memory.Tests;

public sealed class LazyFillTests
{
    private const int Page = GuestMemory.PageSize;
    private static readonly LazyFillOptions _none = new() { Mode = FillMode.None };
    private static readonly LazyFillOptions _now = new() { Mode = FillMode.Now };

    [Fact]
    public async Task Touch_MissingPages_BringsThemAndNothingElse()
    {
        await using var guest = LazyGuest.Start(4096, _none, (0, 100), (2000, 300));

        Assert.Equal(0, guest.Fill.Progress.ResidentBytes);
        foreach (var page in new[] { 7, 99, 2000, 2150, 2299 })
            Assert.Equal(guest.SumInPackage(page), guest.Ask($"sum {page}"));

        await guest.UntilAsync(progress => progress.PagesOnDemand == 5);
        Assert.Equal(new FillProgress(FillState.Filling, 5, 5, 0, 400, 5 * Page), guest.Fill.Progress);
        Assert.Empty(guest.Collect());
    }

    [Fact]
    public async Task Touch_HoleOfThePackage_ReadsZerosAndIsNotWritten()
    {
        await using var guest = LazyGuest.Start(4096, _none, (0, 100));

        Assert.Equal("0", guest.Ask("sum 100"));
        Assert.Equal("0", guest.Ask("sum 4095"));

        await guest.UntilAsync(progress => progress.PagesOnDemand == 2);
        Assert.Empty(guest.Collect());
    }

    [Fact]
    public async Task Touch_WithNeighbours_BringsTheGroupUpToTheHole()
    {
        await using var guest = LazyGuest.Start(4096, new LazyFillOptions { Mode = FillMode.Idle, QuietTime = TimeSpan.FromHours(1), FaultAroundPages = 16 }, (0, 100));

        guest.Do("touch 5");
        await guest.UntilAsync(progress => progress.PagesOnDemand == 16);
        guest.Do("touch 0", "touch 15", "touch 98");
        await guest.UntilAsync(progress => progress.PagesOnDemand == 16 + 4);
        guest.Do("touch 111", "touch 100");
        await guest.UntilAsync(progress => progress.PagesOnDemand == 16 + 4 + 12);

        Assert.Equal(3, guest.Fill.Progress.Faults);
        Assert.Equal(32 * Page, guest.Memory.ResidentBytes);
        Assert.Empty(guest.Collect());
    }

    [Fact]
    public async Task First_PagesThatAreKnown_AreThereBeforeTheyAreTouched()
    {
        var known = new PageSet(4096 * Page) { new PageRange(3 * Page, 20 * Page), new PageRange(3000 * Page, Page) };
        await using var guest = LazyGuest.Start(4096, new LazyFillOptions { QuietTime = TimeSpan.FromHours(1), First = known }, (0, 100));

        await guest.UntilAsync(progress => progress.PagesFilled == 21);
        Assert.Equal(guest.SumInPackage(22), guest.Ask("sum 22"));
        guest.Do("touch 3", "touch 3000");

        Assert.Equal(new FillProgress(FillState.Filling, 0, 0, 21, 100, 21 * Page), guest.Fill.Progress);
        Assert.True(guest.Fill.PagesOnDemand.IsEmpty);
        Assert.Empty(guest.Collect());
    }

    [Fact]
    public async Task First_WithoutAnyFill_IsNotBrought()
    {
        await using var guest = LazyGuest.Start(4096, _none with { First = new PageSet(4096 * Page) { new PageRange(0, 20 * Page) } }, (0, 100));

        guest.Do("touch 50");

        // The guest goes on a moment before its page is counted.
        await guest.UntilAsync(progress => progress.PagesOnDemand > 0);
        Assert.Equal(new FillProgress(FillState.Filling, 1, 1, 0, 100, Page), guest.Fill.Progress);
    }

    [Fact]
    public async Task PagesOnDemand_AfterAWhile_AreThoseThatWereTouched()
    {
        await using var guest = LazyGuest.Start(4096, _none, (0, 100));

        guest.Do("touch 63", "touch 64", "touch 3000");
        await guest.UntilAsync(progress => progress.PagesOnDemand == 3);

        Assert.Equal([new PageRange(63 * Page, 2 * Page), new PageRange(3000 * Page, Page)], guest.Fill.PagesOnDemand);
    }

    [Fact]
    public async Task Write_MissingPage_KeepsTheRestOfItAndIsReported()
    {
        await using var guest = LazyGuest.Start(4096, _none, (0, 100));

        guest.Do("poke 7 0 1", "poke 3000 0 1");
        Assert.Equal([new PageRange(7 * Page, Page), new PageRange(3000 * Page, Page)], guest.Collect());
        Assert.Equal("1", guest.Ask("sum 3000"));
        await guest.CompleteAsync();

        var expected = File.ReadAllBytes(guest.PackagePath);
        expected[7 * Page] = expected[3000 * Page] = 1;
        Assert.True(guest.Memory.GetSpan(0, expected.Length).SequenceEqual(expected));
    }

    [Fact]
    public async Task Access_MissingPageByTheKernel_IsServed()
    {
        await using var guest = LazyGuest.Start(4096, _none, (0, 100));

        Assert.Equal(guest.SumInPackage(9), guest.Ask("kernelsum 9"));
        Assert.Empty(guest.Collect());
        guest.Do("kernel 10", "kernel 2000");

        Assert.Equal([new PageRange(10 * Page, Page), new PageRange(2000 * Page, Page)], guest.Collect());
        Assert.Equal(3, guest.Fill.Progress.Faults);
    }

    [Fact]
    public async Task Now_NothingTouched_BringsThePackageAndLeavesItsHoles()
    {
        // The hole of 40 pages is too short to stay one.
        await using var guest = LazyGuest.Start(16384, _now, (3, 1000), (1043, 57), (9000, 1));

        await guest.Fill.Completion.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        Assert.Equal(new FillProgress(FillState.Complete, 0, 0, 1058 + 3 + 40, 1058, (1058 + 3 + 40) * Page), guest.Fill.Progress);
        Assert.Empty(guest.Collect());
        Assert.True(guest.Tracker.Written.IsEmpty);
        using var package = GuestMemory.Open(guest.PackagePath);
        Assert.Equal(package.ComputeDigest(CancellationToken.None), guest.Memory.ComputeDigest(CancellationToken.None));
    }

    [Fact]
    public async Task Complete_ServerGone_GuestGoesOnAndIsTracked()
    {
        await using var guest = LazyGuest.Start(16384, _now, (0, 64), (10_000, 64));
        await guest.CompleteAsync();
        await guest.Fill.DisposeAsync();

        guest.Do("touch 5000", "write 6000 1", "poke 10000 0 1", "kernel 16383");

        Assert.Equal([new PageRange(6000 * Page, Page), new PageRange(10_000 * Page, Page), new PageRange(16383 * Page, Page)], guest.Collect());
    }

    [Fact]
    public async Task None_HoursLater_HasBroughtNothing_UntilItIsChanged()
    {
        var time = new FakeTimeProvider();
        await using var guest = LazyGuest.Start(4096, _none, time, (0, 100));

        time.Advance(TimeSpan.FromHours(5));
        Assert.Equal((0, 0), (guest.Fill.Progress.PagesFilled, guest.Memory.ResidentBytes));
        Assert.False(guest.Fill.Completion.IsCompleted);

        guest.Fill.Mode = FillMode.Now;
        await guest.Fill.Completion.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Idle_GuestIsBusy_WaitsForItToBeQuiet()
    {
        var time = new FakeTimeProvider();
        var options = new LazyFillOptions { QuietTime = TimeSpan.FromMilliseconds(200), IdleBytesPerSecond = 64 << 20, FaultAroundPages = 1 };
        await using var guest = LazyGuest.Start(4096, options, time, (0, 640));

        // Never quiet for 200 ms, in 4 s all together.
        for (var page = 600; page < 640; page++)
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            guest.Do($"touch {page}");
        }
        Assert.Equal((40, 0), (guest.Fill.Progress.Faults, guest.Fill.Progress.PagesFilled));

        var quiet = time.GetTimestamp();
        await guest.UntilAsync(progress => Nudge(time, 20) && progress.PagesFilled > 0);
        Assert.InRange(time.GetElapsedTime(quiet).TotalMilliseconds, 200, 20_000);

        // 600 pages are worth 36 ms.
        quiet = time.GetTimestamp();
        await guest.UntilAsync(progress => Nudge(time, 1) && progress.State == FillState.Complete);
        Assert.InRange(time.GetElapsedTime(quiet).TotalMilliseconds, 30, 20_000);
        Assert.Equal((40, 600), (guest.Fill.Progress.PagesOnDemand, guest.Fill.Progress.PagesFilled));

        static bool Nudge(FakeTimeProvider time, int milliseconds)
        {
            time.Advance(TimeSpan.FromMilliseconds(milliseconds));
            return true;
        }
    }

    [Fact]
    public async Task CompleteAsync_CancelledBefore_StaysInItsOwnMode()
    {
        await using var guest = LazyGuest.Start(4096, _none, (0, 100));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => guest.Fill.CompleteAsync(new CancellationToken(canceled: true)));
        Assert.Equal((FillMode.None, 0), (guest.Fill.Mode, guest.Fill.Progress.PagesFilled));
        await guest.CompleteAsync();
        await guest.CompleteAsync();
    }

    [Fact]
    public async Task Content_BeforeTheFillIsComplete_CannotBeHad()
    {
        await using var guest = LazyGuest.Start(4096, _none, (0, 100));
        Action[] uses =
        [
            () => guest.Memory.GetSpan(0, 1),
            () => guest.Memory.GetMemory(0, 1),
            () => guest.Memory.DataRanges(),
            () => guest.Memory.SplitRuns(new PageRange(0, Page), Page),
            () => guest.Memory.PunchHole(0, Page),
            () => guest.Memory.ComputeDigest(CancellationToken.None),
        ];
        Assert.All(uses, use => Assert.Contains("still being filled", Assert.Throws<InvalidOperationException>(use).Message, StringComparison.Ordinal));
        Assert.Equal(0, guest.Memory.ResidentBytes);

        await guest.CompleteAsync();

        Assert.Equal(100 * Page, Assert.Single(guest.Memory.DataRanges()).Length);
        Assert.Contains("given back", Assert.Throws<InvalidOperationException>(() => guest.Memory.PunchHole(0, Page)).Message, StringComparison.Ordinal);
    }
}
