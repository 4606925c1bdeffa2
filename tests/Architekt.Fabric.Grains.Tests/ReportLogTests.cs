namespace Architekt.Fabric.Grains.Tests;

/// <summary>Who watches an operation is told what is new, and how it ended.</summary>
public sealed class ReportLogTests
{
    private static readonly DrainResult _result = new("op", "host-a", OperationOutcome.Succeeded, null, null, 0, 0, []);
    private readonly DrainLog _log = new(TimeProvider.System, DateTimeOffset.UnixEpoch);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Watch_NothingIsKnown_TellsOfEachReportUntilTheLast()
    {
        _log.Report([Vm("a")]);
        await using var watching = _log.WatchAsync(0, Token).GetAsyncEnumerator(Token);

        Assert.True(await watching.MoveNextAsync());
        Assert.Equal(1, watching.Current.Sequence);
        var next = watching.MoveNextAsync();
        Assert.False(next.IsCompleted);
        _log.Report([Vm("a"), Vm("b")]);
        Assert.True(await next);
        Assert.Equal(2, watching.Current.Sequence);
        _log.Report([Vm("a"), Vm("b")], _result);
        Assert.True(await watching.MoveNextAsync());
        Assert.Equal(_result, watching.Current.Result);
        Assert.False(await watching.MoveNextAsync());
    }

    [Fact]
    public async Task Watch_NewestIsKnown_WaitsForTheNext()
    {
        _log.Report([Vm("a")]);
        await using var watching = _log.WatchAsync(1, Token).GetAsyncEnumerator(Token);

        var next = watching.MoveNextAsync();
        Assert.False(next.IsCompleted);
        _log.Report([Vm("b")]);

        Assert.True(await next);
        Assert.Equal(2, watching.Current.Sequence);
    }

    /// <summary>It was told by an activation that is gone, and that had counted further.</summary>
    [Fact]
    public async Task Watch_KnowsMoreThanThereIs_IsToldTheNewest()
    {
        _log.Report([Vm("a")]);
        await using var watching = _log.WatchAsync(40, Token).GetAsyncEnumerator(Token);

        Assert.True(await watching.MoveNextAsync());
        Assert.Equal(1, watching.Current.Sequence);
    }

    [Fact]
    public async Task Watch_LastIsKnown_IsToldItOnceMore()
    {
        _log.Report([], _result);

        var report = Assert.Single(await _log.WatchAsync(1, Token).ToListAsync(Token));

        Assert.Equal(_result, report.Result);
    }

    private static DrainedVm Vm(string name) => new(name, DrainedVmState.Waiting);
}
