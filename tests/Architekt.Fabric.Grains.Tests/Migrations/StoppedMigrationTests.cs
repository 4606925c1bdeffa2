using Architekt.Fabric.Grains.Tests.Fakes;

namespace Architekt.Fabric.Grains.Tests.Migrations;

public sealed class StoppedMigrationTests(SharedCluster shared)
{
    private readonly FabricCluster _cluster = shared.Cluster;

    [Fact]
    public async Task Migrate_StoppedVm_MovesItsDiskThenItsOwnershipThenRemovesTheSource()
    {
        var vm = _cluster.AddVm(state: VmState.Stopped);

        var result = await _cluster.MigrateToTheEndAsync(vm);

        Assert.Equal((OperationOutcome.Succeeded, "host-b", 2L), (result.Outcome, result.RunsOn, result.Epoch));
        Assert.Null(result.PauseMs);
        Assert.Equal(4096, result.Transfer.DiskBytes);
        Assert.Equal((VmState.Stopped, "host-b"), (_cluster.Row(vm).State, _cluster.Row(vm).Host));
        var acts = _cluster.World.Journal(vm).Where(static entry => !entry.StartsWith("db:Phase", StringComparison.Ordinal)).ToList();
        Assert.Equal(
            ["host-a:OfferDisk", "host-b:StartFetch", "host-b:GetFetch", "host-b:GetFetch", "host-b:ConfirmLoaded", "db:Commit", "host-a:Release"],
            acts.Where(static entry => entry is not ("host-a:CheckSource" or "host-b:CheckDestination" or "db:Begin" or "db:End")));
        Assert.Empty(_cluster.World.RunningOn(vm));
    }

    [Fact]
    public async Task Migrate_DiskCannotBeFetched_StaysWhereItIsAndTheDestinationIsCleanedUp()
    {
        var vm = _cluster.AddVm(state: VmState.Stopped);
        _cluster.World.Return(vm, "GetFetch", new TransferStatus(1, false, "the disk is full", TransferCounters.None, 0, 0, 0));

        var result = await _cluster.MigrateToTheEndAsync(vm);

        Assert.Equal((OperationOutcome.Failed, MigrationPhase.Copy, "host-a"), (result.Outcome, result.FailedPhase, result.RunsOn));
        Assert.Contains("the disk is full", result.Reason, StringComparison.Ordinal);
        Assert.Contains("host-b:Discard", _cluster.World.Journal(vm));
        Assert.DoesNotContain("db:Commit", _cluster.World.Journal(vm));
        Assert.Equal((VmState.Stopped, "host-a", 1L), (_cluster.Row(vm).State, _cluster.Row(vm).Host, _cluster.Row(vm).Epoch));
    }

    [Fact]
    public async Task Migrate_DestinationThatUsesABase_SaysWhichInTheResult()
    {
        var (fromPackage, fromVisit, fromNothing) = (_cluster.AddVm(), _cluster.AddVm(), _cluster.AddVm());
        _cluster.World.Return(fromPackage, "FindBases", new[] { Samples.Digest });
        _cluster.World.Return(fromVisit, "FindBases", new[] { "vm/x@1" });

        Assert.Equal(MemoryBase.Package, (await _cluster.MigrateToTheEndAsync(fromPackage)).Base);
        Assert.Equal(MemoryBase.LastVisit, (await _cluster.MigrateToTheEndAsync(fromVisit)).Base);
        Assert.Null((await _cluster.MigrateToTheEndAsync(fromNothing)).Base);
        Assert.Empty(_cluster.World.Violations);
    }
}
