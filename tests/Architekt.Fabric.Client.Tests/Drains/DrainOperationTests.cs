using Architekt.Fabric.Client.Tests.Fakes;

namespace Architekt.Fabric.Client.Tests.Drains;

public sealed class DrainOperationTests
{
    private static readonly DrainResult _result = new("op-1", "host-a", OperationOutcome.Succeeded, null, null, 1500, 1500, []);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task DrainHostAsync_FirstAnswerIsLost_AsksAgainWithTheSameId()
    {
        await using var silo = await TestSilo.StartNewAsync();
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);
        var asked = 0;
        silo.World.DrainFault = () => Interlocked.Increment(ref asked) == 1 ? FabricException.Unavailable("Postgres cannot be reached.") : null;

        var drain = await client.DrainHostAsync("host-a", new DrainOptions(Parallel: 3), cancellationToken: Token);

        Assert.Equal(2, silo.World.DrainRequests.Count);
        Assert.All(silo.World.DrainRequests, request => Assert.Equal(("host-a", 3), (request.Host, request.Options.Parallel)));
        Assert.Equal([drain.Id], silo.World.Operations.Keys);
        Assert.Equal((OperationKinds.Drain, null), (drain.Started!.Kind, drain.Started.Vm));
    }

    [Fact]
    public async Task WatchAsync_ReportsInOrderAndEndsWithTheResult()
    {
        await using var silo = await TestSilo.StartNewAsync();
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);
        silo.World.Operations["op-1"] = Samples.Operation("op-1") with { Kind = OperationKinds.Drain };
        silo.World.DrainReports.Enqueue(new DrainProgress(1, 10, [new DrainedVm("redis", DrainedVmState.Moving)], null));
        silo.World.DrainReports.Enqueue(new DrainProgress(2, 20, [], _result));

        var sequences = new List<long>();
        await foreach (var report in client.GetDrain("op-1").WatchAsync(cancellationToken: Token)) sequences.Add(report.Sequence);

        Assert.Equal([1, 2], sequences);
    }

    [Fact]
    public async Task WaitForCompletionAsync_GrainCannotBeAsked_TakesTheResultFromTheRecord()
    {
        await using var silo = await TestSilo.StartNewAsync();
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);
        silo.World.WatchFault = static () => FabricException.Unavailable("Its silo is gone.");
        silo.World.Operations["op-1"] = Samples.Operation("op-1") with { Kind = OperationKinds.Drain };
        silo.World.Drains["op-1"] = _result;

        var result = await client.GetDrain("op-1").WaitForCompletionAsync(Token);

        Assert.Equal(_result with { Vms = result.Vms }, result);
    }

    [Fact]
    public async Task CancelAsync_HasEnded_IsAConflict()
    {
        await using var silo = await TestSilo.StartNewAsync();
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);

        Assert.Equal(FabricErrorCode.Conflict, (await Assert.ThrowsAsync<FabricException>(() => client.GetDrain("op-1").CancelAsync(Token))).Code);
    }

    [Fact]
    public async Task CordonHostAsync_AndBack_ReturnsTheHost()
    {
        await using var silo = await TestSilo.StartNewAsync();
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);

        Assert.True((await client.CordonHostAsync("host-a", Token)).IsCordoned);
        Assert.False((await client.UncordonHostAsync("host-a", Token)).IsCordoned);
    }

    [Theory]
    [InlineData("Not a host", 2, null)]
    [InlineData("host-a", 0, null)]
    [InlineData("host-a", 2, "Not a host")]
    public async Task DrainHostAsync_WhatCannotBe_IsRefusedHere(string host, int parallel, string? to)
    {
        await using var client = new FabricClient(new FabricClientOptions());

        var error = await Assert.ThrowsAsync<FabricException>(
            () => client.DrainHostAsync(host, new DrainOptions(parallel, To: to is null ? null : [to]), cancellationToken: Token));

        Assert.Equal(FabricErrorCode.InvalidArgument, error.Code);
    }
}
