using Architekt.Fabric.Grains.Tests.Fakes;

namespace Architekt.Fabric.Grains.Tests.Migrations;

/// <summary>What must hold after a migration that did not succeed.</summary>
internal static class MigrationOutcomes
{
    public static async Task<MigrationResult> RolledBackAsync(
        this FabricCluster cluster, string vm, MigrationPhase phase, FabricErrorCode code, MigrationOptions? options = null)
    {
        var result = await cluster.MigrateToTheEndAsync(vm, options: options);

        Assert.Equal((OperationOutcome.Failed, phase, code), (result.Outcome, result.FailedPhase, result.ErrorCode));
        Assert.Equal(("host-a", 1L), (result.RunsOn, result.Epoch));
        var row = cluster.Row(vm);
        Assert.Equal(("host-a", 1L, VmState.Running, null), (row.Host, row.Epoch, row.State, row.Operation));
        var journal = cluster.World.Journal(vm);
        Assert.Contains("host-a:RollBack", journal);
        Assert.Contains("host-b:Discard", journal);
        Assert.True(IndexOf("db:Withdraw") < IndexOf("host-a:RollBack"), "the source went on before the reservation was given back");
        Assert.DoesNotContain("host-b:Run", journal);
        Assert.DoesNotContain("host-a:Release", journal);
        cluster.AssertOnlyRunsOn(vm, "host-a");
        return result;

        int IndexOf(string entry) => journal.ToList().IndexOf(entry);
    }

    public static void AssertOnlyRunsOn(this FabricCluster cluster, string vm, string host)
    {
        Assert.Equal([host], cluster.World.RunningOn(vm));
        Assert.Empty(cluster.World.Violations);
    }
}
