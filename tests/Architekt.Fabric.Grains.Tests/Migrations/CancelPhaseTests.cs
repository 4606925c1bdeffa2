using Architekt.Fabric.Grains.Tests.Fakes;

namespace Architekt.Fabric.Grains.Tests.Migrations;

/// <summary>A cancellation in every phase there is.</summary>
public sealed class CancelPhaseTests(SharedCluster shared)
{
    private readonly FabricCluster _cluster = shared.Cluster;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(MigrationPhases.All), MemberType = typeof(MigrationPhases))]
    public async Task Cancel_InEachPhase_LeavesTheSourceRunningOrSaysWhereTheVmIs(MigrationPhase phase)
    {
        var vm = _cluster.AddVm();
        var gate = MigrationPhases.Hold(_cluster.World, vm, phase);
        var operation = await _cluster.MigrateAsync(vm);
        if (gate is not null) await gate.Entered;
        else await _cluster.ResultAsync(operation.Id);

        var isDecided = phase is MigrationPhase.Commit or MigrationPhase.Run or MigrationPhase.Clean or MigrationPhase.Done;
        var cancelling = _cluster.Migration(operation.Id).CancelAsync(Token);
        if (isDecided)
        {
            var refusal = await Assert.ThrowsAsync<FabricException>(() => cancelling);
            Assert.Equal(FabricErrorCode.Conflict, refusal.Code);
            Assert.Contains("'host-b'", refusal.Message, StringComparison.Ordinal);
            gate?.Open();
        }
        else
        {
            if (phase == MigrationPhase.RollBack)
            {
                // Undoing is not cut short. Answered after the cancellation was taken note of: calls of one client arrive in order.
                await _cluster.Migration(operation.Id).GetAsync(Token);
                gate!.Open();
            }

            await cancelling;
        }

        var result = await _cluster.ResultAsync(operation.Id);
        Assert.Equal(
            isDecided ? (OperationOutcome.Succeeded, "host-b", 2L) : (OperationOutcome.Cancelled, "host-a", 1L), (result.Outcome, result.RunsOn, result.Epoch));
        Assert.Equal([result.RunsOn], _cluster.World.RunningOn(vm));
        Assert.Contains(isDecided ? "host-a:Release" : "host-b:Discard", _cluster.World.Journal(vm));
        Assert.Null(_cluster.Row(vm).Operation);

        // At once, and not only after something has been cleared up.
        var next = await _cluster.MigrateToTheEndAsync(vm, isDecided ? "host-a" : "host-b");
        Assert.Equal(OperationOutcome.Succeeded, next.Outcome);
        Assert.True(next.Epoch > result.Epoch);
        Assert.Empty(_cluster.World.Violations);
    }
}
