using Architekt.Fabric.Grains.Tests.Fakes;

namespace Architekt.Fabric.Grains.Tests.Migrations;

/// <summary>Postgres goes away in every phase there is, and comes back.</summary>
public sealed class PostgresPhaseTests(SharedCluster shared) : IDisposable
{
    private readonly FabricCluster _cluster = shared.Cluster;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _cluster.World.Database.IsDown = false;

    [Theory]
    [MemberData(nameof(MigrationPhases.All), MemberType = typeof(MigrationPhases))]
    public async Task PostgresGone_InEachPhase_GuestRunsOnceAndTheMigrationEndsAfterwards(MigrationPhase phase)
    {
        var vm = _cluster.AddVm();
        var gate = MigrationPhases.Hold(_cluster.World, vm, phase);
        var operation = await _cluster.MigrateAsync(vm);
        if (gate is not null) await gate.Entered;
        else await _cluster.ResultAsync(operation.Id);

        var refused = _cluster.World.Database.Refused;
        _cluster.World.Database.IsDown = true;
        gate?.Open();
        if (gate is not null) await Eventually.TrueAsync(() => Task.FromResult(_cluster.World.Database.Refused > refused), "the migration notices that Postgres is away");
        await AssertRunsWhileAwayAsync(vm, phase);
        var refusal = await Assert.ThrowsAsync<FabricException>(() => _cluster.MigrateAsync(vm, "host-c"));
        Assert.Equal((FabricErrorCode.Unavailable, true), (refusal.Code, refusal.IsTransient));
        _cluster.World.Database.IsDown = false;

        var result = await DrivenOnAsync(operation.Id);

        // Nothing has been begun in the check, so it is made again instead of being rolled back.
        var isDecided = phase is MigrationPhase.Check or MigrationPhase.Run or MigrationPhase.Clean or MigrationPhase.Done;
        Assert.Equal(
            isDecided ? (OperationOutcome.Succeeded, "host-b", 2L) : (OperationOutcome.Failed, "host-a", 1L), (result.Outcome, result.RunsOn, result.Epoch));
        Assert.Equal([result.RunsOn], _cluster.World.RunningOn(vm));
        var next = await _cluster.MigrateToTheEndAsync(vm, "host-c");
        Assert.Equal(OperationOutcome.Succeeded, next.Outcome);
        Assert.True(next.Epoch > result.Epoch);
        Assert.Empty(_cluster.World.Violations);
    }

    private async Task AssertRunsWhileAwayAsync(string vm, MigrationPhase phase)
    {
        string[] expected = phase switch
        {
            // Stopped and handed over, and nobody knows what has become of the commit: neither side may run.
            MigrationPhase.Switch or MigrationPhase.Commit => [],
            MigrationPhase.Run or MigrationPhase.Clean or MigrationPhase.Done => ["host-b"],
            _ => ["host-a"],
        };
        await Eventually.TrueAsync(() => Task.FromResult(_cluster.World.RunningOn(vm).SequenceEqual(expected)), $"'{vm}' runs on {string.Join(", ", expected)}");
    }

    /// <summary>As a watcher does, or a host's reconciler: whoever asks for a migration that nobody drives has it driven on.</summary>
    private async Task<MigrationResult> DrivenOnAsync(string operation)
    {
        MigrationResult? result = null;
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    await _cluster.Migration(operation).GetAsync(Token);
                }
                catch (Exception error) when (error is FabricException or OrleansException or TimeoutException)
                {
                    return false;
                }

                return (result = await _cluster.Catalog.FindMigrationResultAsync(operation, Token)) is not null;
            },
            $"migration '{operation}' ends");
        return result!;
    }
}
