using System.Diagnostics;

namespace Architekt.Fabric.Memory.Tests;

/// <summary>A guest whose RAM is filled from a package while it runs.</summary>
internal sealed class LazyGuest : IAsyncDisposable
{
    private readonly Guest _guest;

    private LazyGuest(Guest guest, string packagePath, LazyFillOptions options, TimeProvider time)
    {
        _guest = guest;
        PackagePath = packagePath;
        Package = PackageMemory.Open(packagePath);
        Tracker = DirtyTracker.Attach(guest.Mapping);
        Fill = LazyFill.Start(guest.Memory, Tracker, Package, options, time);
    }

    public static LazyGuest Start(int pages, LazyFillOptions options, params IEnumerable<(int First, int Count)> data) =>
        Start(pages, options, TimeProvider.System, data);

    public static LazyGuest Start(int pages, LazyFillOptions options, TimeProvider time, params IEnumerable<(int First, int Count)> data)
    {
        var guest = Guest.Start(pages, lazy: true);
        try
        {
            return new LazyGuest(guest, TestPackage.Create(guest["package"], pages, data), options, time);
        }
        catch
        {
            guest.Dispose();
            throw;
        }
    }

    public string PackagePath { get; }

    public PackageMemory Package { get; }

    public DirtyTracker Tracker { get; }

    public LazyFill Fill { get; }

    public GuestMemory Memory => _guest.Memory;

    public Process Process => _guest.Process;

    public string this[string name] => _guest[name];

    public void Do(params IEnumerable<string> commands) => _guest.Do(commands);

    public string Ask(string command) => _guest.Ask(command);

    public string SumInPackage(int page) => TestPackage.Sum(PackagePath, page);

    /// <summary>What was written since the last scan.</summary>
    public List<PageRange> Collect()
    {
        var ranges = new List<PageRange>();
        Assert.Equal(DirtyScanOutcome.Complete, Tracker.Collect(ranges).Outcome);
        return ranges;
    }

    /// <summary>Brings everything; not to end is a failure as well.</summary>
    public async Task CompleteAsync()
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromSeconds(20));
        await Fill.CompleteAsync(deadline.Token);
    }

    /// <summary>Waits for what another thread does.</summary>
    public async Task UntilAsync(Func<FillProgress, bool> condition)
    {
        var begin = Stopwatch.GetTimestamp();
        while (!condition(Fill.Progress))
        {
            Assert.True(Stopwatch.GetElapsedTime(begin) < TimeSpan.FromSeconds(20), $"It never came to that: {Fill.Progress}");
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Fill.DisposeAsync();
        Tracker.Dispose();
        Package.Dispose();
        _guest.Dispose();
    }
}
