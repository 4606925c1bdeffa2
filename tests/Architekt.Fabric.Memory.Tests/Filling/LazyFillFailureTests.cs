namespace Architekt.Fabric.Memory.Tests;

/// <summary>When pages cannot be brought: it is said, and the guest never sees zeros in place of what it had.</summary>
public sealed class LazyFillFailureTests
{
    private const int Page = GuestMemory.PageSize;
    private static readonly LazyFillOptions _none = new() { Mode = FillMode.None };

    [Fact]
    public async Task Complete_PackageCutShort_FailsAndSaysWhere()
    {
        await using var guest = LazyGuest.Start(4096, _none, (0, 300));
        Cut(guest.PackagePath, 100 * Page);

        var failure = await Assert.ThrowsAsync<MemoryFillException>(() => guest.CompleteAsync());

        Assert.Equal(MemoryFillError.PackageUnreadable, failure.Error);
        Assert.Contains($"{guest.PackagePath} could not be read at byte {100 * Page}", failure.Message, StringComparison.Ordinal);
        Assert.Equal(FillState.Failed, guest.Fill.Progress.State);
        Assert.Throws<InvalidOperationException>(() => guest.Memory.GetSpan(0, 1));
        Assert.Equal(guest.SumInPackage(99), guest.Ask("sum 99"));
    }

    [Fact]
    public async Task Touch_PageThatCannotBeRead_WaitsAndTheOthersAreServed()
    {
        await using var guest = LazyGuest.Start(4096, _none, (0, 300));
        Cut(guest.PackagePath, 100 * Page);

        Assert.Equal(guest.SumInPackage(50), guest.Ask("sum 50"));
        await guest.Process.StandardInput.WriteLineAsync("sum 100");
        await guest.Process.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
        var answer = guest.Process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask();
        var failure = await Assert.ThrowsAsync<MemoryFillException>(() => guest.Fill.Completion.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));

        Assert.Equal(MemoryFillError.PackageUnreadable, failure.Error);
        Assert.Equal(Page, guest.Memory.ResidentBytes);
        Assert.False(answer.IsCompleted);
        guest.Process.Kill();
        Assert.Null(await answer);
    }

    [Fact]
    public async Task Touch_PackageClosed_FailsAndThePeerLives()
    {
        await using var guest = LazyGuest.Start(4096, _none, (0, 300));
        guest.Package.Dispose();
        await guest.Process.StandardInput.WriteLineAsync("sum 100");
        await guest.Process.StandardInput.FlushAsync(TestContext.Current.CancellationToken);

        var failure = await Assert.ThrowsAsync<MemoryFillException>(() => guest.Fill.Completion.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));

        Assert.Equal(MemoryFillError.PackageUnreadable, failure.Error);
    }

    [Fact]
    public async Task Fill_ProcessEnds_Fails()
    {
        await using var guest = LazyGuest.Start(4096, _none, (0, 300));
        guest.Do("touch 1");
        guest.Process.Kill();

        var failure = await Assert.ThrowsAsync<MemoryFillException>(() => guest.Fill.Completion.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));

        Assert.Equal(MemoryFillError.ProcessGone, failure.Error);
    }

    [Fact]
    public async Task Complete_ProcessEndsAfterwards_HasNotFailed()
    {
        await using var guest = LazyGuest.Start(4096, new LazyFillOptions { Mode = FillMode.Now }, (0, 300));
        await guest.CompleteAsync();
        guest.Process.Kill();
        await guest.Process.WaitForExitAsync(TestContext.Current.CancellationToken);
        await guest.CompleteAsync();
        Assert.Equal(FillState.Complete, guest.Fill.Progress.State);
    }

    [Theory]
    [InlineData(250)]
    [InlineData(3000)]
    public async Task Complete_SomebodyTouchedTheRamFile_FailsInPlaceOfZeros(int page)
    {
        await using var guest = LazyGuest.Start(4096, _none, (0, 300), (2990, 20));
        using (var file = File.OpenHandle(guest.Memory.Path, FileMode.Open, FileAccess.Write))
            RandomAccess.Write(file, new byte[1], (long)page * Page);

        var failure = await Assert.ThrowsAsync<MemoryFillException>(() => guest.CompleteAsync());

        Assert.Equal(MemoryFillError.ForeignPage, failure.Error);
        Assert.Contains($"byte {page * Page} ", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Start_PackageOfAnotherSize_IsRefused()
    {
        using var guest = Guest.Start(4096, lazy: true);
        using var package = PackageMemory.Open(TestPackage.Create(guest["package"], 4095, (0, 1)));
        using var tracker = DirtyTracker.Attach(guest.Mapping);

        var refusal = Assert.Throws<MemoryFillException>(() => LazyFill.Start(guest.Memory, tracker, package));

        Assert.Equal(MemoryFillError.Mismatch, refusal.Error);
        guest.Memory.GetSpan(0, 1);
    }

    [Fact]
    public void Start_RamIsNotEmpty_IsRefused()
    {
        using var guest = Guest.Start(4096, lazy: true);
        guest.Memory.GetSpan(0, 1)[0] = 1;
        using var package = PackageMemory.Open(TestPackage.Create(guest["package"], 4096, (0, 1)));
        using var tracker = DirtyTracker.Attach(guest.Mapping);

        Assert.Equal(MemoryFillError.ForeignPage, Assert.Throws<MemoryFillException>(() => LazyFill.Start(guest.Memory, tracker, package)).Error);
    }

    [Fact]
    public async Task Start_NotArmedLazily_ServesAllTheSame()
    {
        using var guest = Guest.Start(4096);
        using var package = PackageMemory.Open(TestPackage.Create(guest["package"], 4096, (0, 10)));
        using var tracker = DirtyTracker.Attach(guest.Mapping);
        await using var fill = LazyFill.Start(guest.Memory, tracker, package, _none);

        Assert.Equal(TestPackage.Sum(package.Path, 3), guest.Ask("sum 3"));
    }

    [Fact]
    public void Start_ProcessIsGone_IsRefused()
    {
        using var guest = Guest.Start(4096, lazy: true);
        using var package = PackageMemory.Open(TestPackage.Create(guest["package"], 4096, (0, 10)));
        using var tracker = DirtyTracker.Attach(guest.Mapping);
        guest.Process.Kill();
        guest.Process.WaitForExit();

        Assert.Equal(MemoryFillError.ProcessGone, Assert.Throws<MemoryFillException>(() => LazyFill.Start(guest.Memory, tracker, package)).Error);
    }

    [Fact]
    public void Start_UserfaultDescriptorClosed_IsRefused()
    {
        using var guest = Guest.Start(4096, lazy: true);
        using var package = PackageMemory.Open(TestPackage.Create(guest["package"], 4096, (0, 10)));
        using var tracker = DirtyTracker.Attach(guest.Mapping);
        guest.Do($"disarm {guest.Mapping.UserfaultDescriptor}");

        Assert.Equal(MemoryFillError.Refused, Assert.Throws<MemoryFillException>(() => LazyFill.Start(guest.Memory, tracker, package)).Error);
    }

    private static void Cut(string path, long length)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write);
        RandomAccess.SetLength(file, length);
    }
}
