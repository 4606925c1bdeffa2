using Architekt.Fabric.Client.Tests.Fakes;

namespace Architekt.Fabric.Client.Tests.Migrations;

public sealed class MigrationOperationTests
{
    private const string Id = "op-1";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WatchAsync_MigrationRuns_GivesReportsUpToTheResult()
    {
        await using var silo = await TestSilo.StartNewAsync();
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);
        silo.World.Report(Samples.Progress(1));
        silo.World.Report(Samples.Progress(2));
        silo.World.Report(Samples.Progress(3, Samples.Result(Id)));

        var reports = await client.GetOperation(Id).WatchAsync(0, Token).ToListAsync(Token);

        Assert.Equal([1, 2, 3], reports.Select(report => report.Sequence));
        Assert.Equal(1200, reports[^1].Result!.PhaseMs[MigrationPhase.Copy]);
    }

    [Fact]
    public async Task WatchAsync_GrainMovesInBetween_GoesOnBehindTheLastReport()
    {
        await using var silo = await TestSilo.StartNewAsync();
        silo.World.Operations[Id] = Samples.Operation(Id);
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);
        var faults = 2;
        silo.World.WatchFault = () => silo.World.WatchedAfter.Count > 1 && faults-- > 0 ? new EnumerationAbortedException("The grain moved.") : null;
        silo.World.Report(Samples.Progress(1));
        var seen = new List<long>();

        await foreach (var report in client.GetOperation(Id).WatchAsync(0, Token))
        {
            seen.Add(report.Sequence);
            if (report.Sequence == 1)
            {
                await silo.StopAsync();
                await silo.StartAsync();
                silo.World.Report(Samples.Progress(2));
                silo.World.Report(Samples.Progress(3, Samples.Result(Id)));
            }
        }

        Assert.Equal([1, 2, 3], seen);
        Assert.Equal([0, 1], silo.World.WatchedAfter.Distinct());
    }

    [Fact]
    public async Task WatchAsync_GrainCannotBeReachedAnyMore_TakesTheResultFromTheRecord()
    {
        await using var silo = await TestSilo.StartNewAsync();
        silo.World.Operations[Id] = Samples.Operation(Id);
        silo.World.Results[Id] = Samples.Result(Id);
        silo.World.WatchFault = () => new SiloUnavailableException("Its host is gone.");
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);

        var report = Assert.Single(await client.GetOperation(Id).WatchAsync(7, Token).ToListAsync(Token));

        Assert.Equal((8, MigrationPhase.Done), (report.Sequence, report.Phase));
        Assert.Equal(OperationOutcome.Succeeded, report.Result!.Outcome);
    }

    [Fact]
    public async Task WatchAsync_GrainIsSilentAfterTheEnd_TakesTheResultFromTheRecord()
    {
        await using var silo = await TestSilo.StartNewAsync();
        silo.World.Operations[Id] = Samples.Operation(Id);
        silo.World.Report(Samples.Progress(1));
        await using var client = await FabricClient.ConnectAsync(silo.Options(options => options.PollInterval = TimeSpan.FromMilliseconds(100)), Token);
        MigrationProgress? last = null;

        await foreach (var report in client.GetOperation(Id).WatchAsync(0, Token))
        {
            last = report;
            // From here on the grain reports nothing, although the migration ends.
            silo.World.Results[Id] = Samples.Result(Id);
        }

        Assert.Equal(OperationOutcome.Succeeded, last!.Result!.Outcome);
    }

    [Fact]
    public async Task WatchAsync_NoSuchOperation_FailsWithNotFound()
    {
        await using var silo = await TestSilo.StartNewAsync();
        silo.World.WatchFault = () => FabricException.NotFound("There is no operation 'op-1'.");
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);

        var error = await Assert.ThrowsAsync<FabricException>(() => client.GetOperation(Id).WaitForCompletionAsync(Token));

        Assert.Equal(FabricErrorCode.NotFound, error.Code);
    }

    [Fact]
    public async Task WatchAsync_FabricStaysAway_GivesUpAfterTheReconnectTimeout()
    {
        await using var silo = await TestSilo.StartNewAsync();
        silo.World.Operations[Id] = Samples.Operation(Id);
        silo.World.Report(Samples.Progress(1));
        await using var client = await FabricClient.ConnectAsync(
            silo.Options(options =>
            {
                options.ReconnectTimeout = TimeSpan.FromSeconds(1);
                options.PollInterval = TimeSpan.FromMilliseconds(100);
                options.CallTimeout = TimeSpan.FromSeconds(1);
            }),
            Token);
        var seen = 0;

        var error = await Assert.ThrowsAsync<FabricException>(async () =>
        {
            await foreach (var _ in client.GetOperation(Id).WatchAsync(0, Token))
            {
                seen++;
                await silo.StopAsync();
            }
        });

        Assert.Equal(1, seen);
        Assert.True(error.IsTransient, error.Message);
    }

    [Fact]
    public async Task WatchAsync_Cancelled_EndsTheWatchingOnly()
    {
        await using var silo = await TestSilo.StartNewAsync();
        silo.World.Report(Samples.Progress(1));
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in client.GetOperation(Id).WatchAsync(0, cancel.Token)) await cancel.CancelAsync();
        });

        silo.World.Report(Samples.Progress(2, Samples.Result(Id)));
        Assert.Equal(Id, (await client.GetOperation(Id).WaitForCompletionAsync(Token)).Operation);
    }

    [Fact]
    public async Task WaitForCompletionAsync_MigrationFailed_ReturnsTheResult()
    {
        await using var silo = await TestSilo.StartNewAsync();
        silo.World.Report(Samples.Progress(1, Samples.Result(Id, OperationOutcome.Failed)));
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);

        Assert.Equal(OperationOutcome.Failed, (await client.GetOperation(Id).WaitForCompletionAsync(Token)).Outcome);
    }

    [Fact]
    public async Task StartMigrationAsync_NoId_MakesOneUp()
    {
        await using var silo = await TestSilo.StartNewAsync();
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);

        var first = await client.StartMigrationAsync("redis", "host-b", cancellationToken: Token);
        var second = await client.StartMigrationAsync("redis", "host-b", cancellationToken: Token);

        Assert.True(FabricNames.IsValid(first.Id), first.Id);
        Assert.NotEqual(first.Id, second.Id);
        Assert.Equal(first.Id, first.Started!.Id);
    }

    [Fact]
    public async Task StartMigrationAsync_OutcomeUnknown_AsksAgainWithTheSameId()
    {
        await using var silo = await TestSilo.StartNewAsync();
        var attempts = 0;
        silo.World.VmFault = () =>
        {
            if (++attempts == 2) silo.World.VmFault = null;
            return new SiloUnavailableException("Its host restarts.");
        };
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);

        var operation = await client.StartMigrationAsync("redis", "host-b", operationId: "mine", cancellationToken: Token);

        Assert.Equal("mine", operation.Id);
        Assert.Equal(["mine", "mine", "mine"], silo.World.Requests.Select(request => request.Operation));
    }

    [Fact]
    public async Task StartMigrationAsync_Refused_IsAskedOnce()
    {
        await using var silo = await TestSilo.StartNewAsync();
        silo.World.VmFault = () => new FabricException(FabricErrorCode.Refused, "It is there already.");
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);

        var error = await Assert.ThrowsAsync<FabricException>(() => client.StartMigrationAsync("redis", "host-a", cancellationToken: Token));

        Assert.Equal((FabricErrorCode.Refused, "It is there already."), (error.Code, error.Message));
        Assert.Single(silo.World.Requests);
    }

    [Fact]
    public async Task StartMigrationAsync_OptionOutOfRange_IsRefusedHere()
    {
        await using var client = new FabricClient(new FabricClientOptions());

        var error = await Assert.ThrowsAsync<FabricException>(
            () => client.StartMigrationAsync("redis", "host-b", new MigrationOptions(Connections: 17), cancellationToken: Token));

        Assert.Equal(FabricErrorCode.InvalidArgument, error.Code);
    }

    [Fact]
    public async Task CancelAsync_TooLate_FailsWithConflict()
    {
        await using var silo = await TestSilo.StartNewAsync();
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);

        var error = await Assert.ThrowsAsync<FabricException>(() => client.GetOperation(Id).CancelAsync(Token));

        Assert.Equal(FabricErrorCode.Conflict, error.Code);
    }
}
