using Architekt.Fabric.Grains.Tests.Fakes;

namespace Architekt.Fabric.Grains.Tests.Migrations;

public sealed class MigrationCancelTests(SharedCluster shared)
{
    private readonly FabricCluster _cluster = shared.Cluster;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("CheckDestination")]
    [InlineData("Prepare")]
    [InlineData("StartCopy")]
    [InlineData("GetTransfer")]
    [InlineData("Suspend")]
    [InlineData("Switch")]
    [InlineData("WaitLoaded")]
    public async Task Cancel_BeforeTheCommit_EndsTheActAndRollsBack(string method)
    {
        var vm = _cluster.AddVm();
        var gate = _cluster.World.Hold(vm, method);
        var operation = await _cluster.MigrateAsync(vm);
        await gate.Entered;

        await _cluster.Migration(operation.Id).CancelAsync(Token);

        // Cancelling returns when all is undone: nothing to wait for.
        var result = await _cluster.Catalog.FindMigrationResultAsync(operation.Id, Token);
        Assert.Equal(
            (OperationOutcome.Cancelled, FabricErrorCode.Cancelled, "host-a", 1L),
            (result!.Outcome, result.ErrorCode, result.RunsOn, result.Epoch));
        var row = _cluster.Row(vm);
        Assert.Equal(("host-a", 1L, null), (row.Host, row.Epoch, row.Operation));
        var journal = _cluster.World.Journal(vm);
        Assert.Contains("host-a:RollBack", journal);
        Assert.Contains("host-b:Discard", journal);
        Assert.DoesNotContain("db:Commit", journal);
        Assert.Equal(["host-a"], _cluster.World.RunningOn(vm));
        Assert.Empty(_cluster.World.Violations);
    }

    [Theory]
    [InlineData("Commit")]
    [InlineData("Run")]
    [InlineData("Release")]
    public async Task Cancel_FromTheCommitOn_IsRefusedAndChangesNothing(string method)
    {
        var vm = _cluster.AddVm();
        var gate = _cluster.World.Hold(vm, method);
        var operation = await _cluster.MigrateAsync(vm);
        await gate.Entered;

        var error = await Assert.ThrowsAsync<FabricException>(() => _cluster.Migration(operation.Id).CancelAsync(Token));

        Assert.Equal(FabricErrorCode.Conflict, error.Code);
        Assert.Contains("'host-b'", error.Message, StringComparison.Ordinal);
        gate.Open();
        var result = await _cluster.ResultAsync(operation.Id);
        Assert.Equal((OperationOutcome.Succeeded, "host-b", 2L), (result.Outcome, result.RunsOn, result.Epoch));
    }

    [Fact]
    public async Task Cancel_WhileTheCommitIsUnknownAndTurnsOutDone_IsRefused()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Script(vm, "Commit", _ =>
        {
            var plan = _cluster.World.Database.Do(tables => tables.Operations.Values.Single(known => known.Info.Vm == vm).Plan);
            _cluster.World.Database.Commit(plan);
            return Task.FromResult<object?>(CommitOutcome.Unknown);
        });
        var gate = _cluster.World.Hold(vm, "Withdraw");
        var operation = await _cluster.MigrateAsync(vm);
        await gate.Entered;

        var migration = _cluster.Migration(operation.Id);
        var cancelling = migration.CancelAsync(Token);

        // Answered after the cancellation was taken note of: calls of one client arrive in order.
        await migration.GetAsync(Token);
        gate.Open();

        Assert.Equal(FabricErrorCode.Conflict, (await Assert.ThrowsAsync<FabricException>(() => cancelling)).Code);
        Assert.Equal((OperationOutcome.Succeeded, "host-b"), ((await _cluster.ResultAsync(operation.Id)).Outcome, _cluster.Row(vm).Host));
    }

    [Fact]
    public async Task Cancel_AfterTheEnd_IsRefusedAndSaysHowItEnded()
    {
        var vm = _cluster.AddVm();
        var result = await _cluster.MigrateToTheEndAsync(vm);

        var error = await Assert.ThrowsAsync<FabricException>(() => _cluster.Migration(result.Operation).CancelAsync(Token));

        Assert.Equal(FabricErrorCode.Conflict, error.Code);
        Assert.Equal("host-b", _cluster.Row(vm).Host);
    }

    [Fact]
    public async Task Cancel_Twice_IsOneRollBack()
    {
        var vm = _cluster.AddVm();
        var gate = _cluster.World.Hold(vm, "StartCopy");
        var undoing = _cluster.World.Hold(vm, "RollBack");
        var operation = await _cluster.MigrateAsync(vm);
        await gate.Entered;

        var migration = _cluster.Migration(operation.Id);
        var first = migration.CancelAsync(Token);
        await undoing.Entered;
        var second = migration.CancelAsync(Token);
        await migration.GetAsync(Token);
        undoing.Open();

        await Task.WhenAll(first, second);
        Assert.Single(_cluster.World.Journal(vm), "host-a:RollBack");
    }

    [Fact]
    public async Task Cancel_UnknownOperation_IsNotFound() => Assert.Equal(
        FabricErrorCode.NotFound,
        (await Assert.ThrowsAsync<FabricException>(() => _cluster.Migration("no-such-operation").CancelAsync(Token))).Code);
}
