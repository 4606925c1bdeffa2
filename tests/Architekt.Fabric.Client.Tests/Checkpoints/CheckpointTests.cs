using Architekt.Fabric.Client.Tests.Fakes;

namespace Architekt.Fabric.Client.Tests.Checkpoints;

public sealed class CheckpointTests
{
    private static readonly CheckpointResult _made = new(
        "op-1", "redis", "host-a", "warm", OperationOutcome.Succeeded, null, null, 812.5, 21.5, Package: null);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CheckpointVmAsync_ThenWait_AsksUntilThereIsAResult()
    {
        await using var silo = await TestSilo.StartNewAsync();
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);
        silo.World.CheckpointAnswers.Enqueue(null);
        silo.World.CheckpointAnswers.Enqueue(_made);

        var checkpoint = await client.CheckpointVmAsync("redis", "warm", keepRunning: false, cancellationToken: Token);

        Assert.Equal(_made, await checkpoint.WaitForCompletionAsync(Token));
        Assert.Equal(2, silo.World.CheckpointWaits.Count);
        var request = Assert.Single(silo.World.CheckpointRequests);
        Assert.Equal((checkpoint.Id, "warm", false), (request.Operation, request.Package, request.KeepRunning));
    }

    [Fact]
    public async Task WaitForCompletionAsync_HostIsGone_TakesTheResultFromTheRecord()
    {
        await using var silo = await TestSilo.StartNewAsync();
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);
        silo.World.CheckpointFault = static () => FabricException.Unavailable("Host 'host-a' cannot be reached.");
        silo.World.Checkpoints["op-1"] = _made;

        Assert.Equal(_made, await client.GetCheckpoint("op-1").WaitForCompletionAsync(Token));
    }

    [Fact]
    public async Task CancelAsync_ReachesTheCheckpoint()
    {
        await using var silo = await TestSilo.StartNewAsync();
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);

        await client.GetCheckpoint("op-7").CancelAsync(Token);

        Assert.Equal(["op-7"], silo.World.CancelledCheckpoints);
    }

    [Theory]
    [InlineData("Not a name", 60)]
    [InlineData("warm", 0)]
    public async Task CreatePackageAsync_WhatCannotBe_IsRefusedHere(string name, int seconds)
    {
        await using var client = new FabricClient(new FabricClientOptions());

        var error = await Assert.ThrowsAsync<FabricException>(
            () => client.CreatePackageAsync(new PackageRecipe("redis", name) { Timeout = TimeSpan.FromSeconds(seconds) }, Token));

        Assert.Equal(FabricErrorCode.InvalidArgument, error.Code);
    }
}
