using Architekt.Fabric.Grains;
using Architekt.Fabric.Testing;

namespace Architekt.Fabric.Database.Tests;

public sealed class CheckpointStoreTests(PostgresDatabase database) : StoreTest(database), IClassFixture<PostgresDatabase>
{
    [Fact]
    public async Task BeginCheckpoint_FreeVm_RecordsItAtTheVmsOwnEpochAndKeepsMigrationsOff()
    {
        var plan = Checkpoint(await CreateVmAsync());

        var operation = await Operations.BeginCheckpointAsync(plan, Cancellation);

        Assert.Equal(
            new OperationInfo(
                plan.Operation, OperationKinds.Checkpoint, plan.Vm, "host-a", "host-a", 1, MigrationPhase.Check, OperationOutcome.Running, null, plan.RequestedAt, null),
            operation);
        Assert.Equal(plan, await Operations.FindCheckpointPlanAsync(plan.Operation, Cancellation));
        Assert.Equal(EventKinds.CheckpointRequested, Sink.Events.Last().Kind);
        Assert.Equal(operation, await Operations.BeginCheckpointAsync(plan with { Package = "other" }, Cancellation));
        var refusal = await ThrowsAsync(FabricErrorCode.Conflict, () => Operations.BeginAsync(Plan(plan.Vm), Cancellation));
        Assert.Contains("A package is being made", refusal.Message, StringComparison.Ordinal);
        Assert.False(await Vms.DeleteAsync(plan.Vm, 1, Cancellation));
    }

    [Fact]
    public async Task EndCheckpoint_Succeeded_RecordsResultAndEventAndFreesTheVm()
    {
        var plan = Checkpoint(await CreateVmAsync());
        await Operations.BeginCheckpointAsync(plan, Cancellation);
        await Operations.SetPhaseAsync(plan.Operation, MigrationPhase.Copy, Cancellation);
        Assert.Equal(EventKinds.CheckpointPhase, Sink.Events.Last().Kind);
        var package = new PackageInfo("host-a", "warm", "sha256-1", "package", "x86_64", "q35", 1, 1, 1, plan.RequestedAt, []);
        var result = new CheckpointResult(plan.Operation, plan.Vm, "host-a", "warm", OperationOutcome.Succeeded, null, null, 812.5, 21.5, package);

        await Operations.EndCheckpointAsync(result, Cancellation);

        var found = await Operations.FindCheckpointResultAsync(plan.Operation, Cancellation);
        Assert.Equal(result, found! with { Package = package });
        Assert.Equal(package.Digest, found.Package!.Digest);
        Assert.Equal(OperationOutcome.Succeeded, (await Operations.FindAsync(plan.Operation, Cancellation))!.Outcome);
        Assert.Null((await Vms.FindAsync(plan.Vm, Cancellation))!.Info.Operation);
        Assert.Equal(EventKinds.CheckpointEnded, Sink.Events.Last().Kind);
        await BeginAsync(plan.Vm);
    }

    [Fact]
    public async Task Find_OfTheOtherKind_IsNothing()
    {
        var checkpoint = Checkpoint(await CreateVmAsync());
        await Operations.BeginCheckpointAsync(checkpoint, Cancellation);
        var migration = await BeginAsync();

        Assert.Null(await Operations.FindPlanAsync(checkpoint.Operation, Cancellation));
        Assert.Null(await Operations.FindCheckpointPlanAsync(migration.Operation, Cancellation));
    }

    private static CheckpointPlan Checkpoint(string vm) => new(
        Unique("op"), vm, "host-a", 1, Machine(), "warm", KeepRunning: true, new DateTimeOffset(2026, 1, 2, 3, 4, 6, TimeSpan.Zero));
}
