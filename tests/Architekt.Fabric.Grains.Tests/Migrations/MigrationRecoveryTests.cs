using Architekt.Fabric.Grains.Tests.Fakes;

namespace Architekt.Fabric.Grains.Tests.Migrations;

/// <summary>A migration nobody drives any more is taken up from the phase it had recorded.</summary>
public sealed class MigrationRecoveryTests : IAsyncLifetime
{
    private FabricCluster _cluster = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _cluster = await FabricCluster.StartAsync(silos: 2);

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task Start_RecordedAsCommitted_RunsTheDestinationAndNeverTheSource()
    {
        var vm = _cluster.AddVm();
        var plan = new MigrationPlan("op-committed", vm, "host-a", "host-b", 1, Samples.Machine, new MigrationOptions(), DateTimeOffset.UtcNow);
        await new FakeOperationStore(_cluster.World).BeginAsync(plan, Token);
        _cluster.World.Runs(vm, "host-a", runs: false);
        Assert.Equal(CommitOutcome.Committed, _cluster.World.Database.Commit(plan));

        await _cluster.Migration(plan.Operation).StartAsync(Token);
        var result = await _cluster.ResultAsync(plan.Operation);

        Assert.Equal((OperationOutcome.Succeeded, "host-b", 2L), (result.Outcome, result.RunsOn, result.Epoch));
        Assert.Equal(["db:Begin", "host-b:Run", "host-a:Release", "db:End"], _cluster.World.Journal(vm));
        Assert.Equal(["host-b"], _cluster.World.RunningOn(vm));
    }
}
