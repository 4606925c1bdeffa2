using Architekt.Fabric.Client.Tests.Fakes;

namespace Architekt.Fabric.Client.Tests.Checkpoints;

public sealed class PackageMakingTests
{
    private static readonly PackageRecipe _recipe = new("redis", "warm") { MemoryBytes = 512 << 20, Address = "10.0.0.5/24", Timeout = TimeSpan.FromSeconds(90) };

    private static readonly CheckpointResult _made = new(
        "op-1", "making-1", "host-a", "warm", OperationOutcome.Succeeded, null, null, 812.5, null, Package: null);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CreatePackageAsync_AsksTheFabricOnceAndWaits()
    {
        await using var silo = await TestSilo.StartNewAsync();
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);
        silo.World.CheckpointAnswers.Enqueue(null);
        silo.World.CheckpointAnswers.Enqueue(_made);

        Assert.Equal(_made, await client.CreatePackageAsync(_recipe, Token));

        var request = Assert.Single(silo.World.Makings);
        Assert.Equal(("warm", 90_000), (request.Package, request.TimeoutMs));
        Assert.Equal(
            ("redis", 512L << 20, "10.0.0.5/24", FillMode.Now), (request.Spec.Package, request.Spec.MemoryBytes, request.Spec.Address, request.Spec.Fill));
        Assert.Equal(request.Operation.Replace("op-", FabricNames.MakingPrefix, StringComparison.Ordinal), request.Spec.Name);
        Assert.Empty(silo.World.CancelledCheckpoints);
    }

    [Fact]
    public async Task CreatePackageAsync_Cancelled_CancelsTheMaking()
    {
        await using var silo = await TestSilo.StartNewAsync();
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);
        using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(Token);
        silo.World.CheckpointFault = () =>
        {
            cancelled.Cancel();
            return null;
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.CreatePackageAsync(_recipe, cancelled.Token));

        Assert.Equal([Assert.Single(silo.World.Makings).Operation], silo.World.CancelledCheckpoints);
    }

    [Fact]
    public async Task StartPackageAsync_AnswerIsLost_AsksAgainWithTheSameId()
    {
        await using var silo = await TestSilo.StartNewAsync();
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);
        var attempts = 0;
        silo.World.VmFault = () =>
        {
            if (++attempts == 2) silo.World.VmFault = null;
            return FabricException.Unavailable("The host is away.");
        };

        var making = await client.StartPackageAsync(_recipe, cancellationToken: Token);

        Assert.Equal(3, silo.World.Makings.Count);
        Assert.All(silo.World.Makings, request => Assert.Equal((making.Id, silo.World.Makings.First().Spec), (request.Operation, request.Spec)));
    }
}
