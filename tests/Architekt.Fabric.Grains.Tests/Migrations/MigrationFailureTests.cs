using Architekt.Fabric.Grains.Tests.Fakes;

namespace Architekt.Fabric.Grains.Tests.Migrations;

/// <summary>Something fails in each phase up to the commit, or while it is undone; what counts is who runs afterwards, with which epoch, and what was undone.</summary>
public sealed class MigrationFailureTests(SharedCluster shared)
{
    private static readonly FabricException Broken = new(FabricErrorCode.Failed, "the wire broke");

    private readonly FabricCluster _cluster = shared.Cluster;

    [Fact]
    public async Task Check_BothRefuse_ReasonsOfBothAndNothingPrepared()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Return(vm, "CheckSource", new List<string> { "its kernel cannot track dirty pages" });
        _cluster.World.Return(vm, "CheckDestination", new List<string> { "it has no room", "its QEMU is older" });

        var result = await _cluster.RolledBackAsync(vm, MigrationPhase.Check, FabricErrorCode.Refused);

        Assert.Equal("its kernel cannot track dirty pages; it has no room; its QEMU is older", result.Reason);
        Assert.DoesNotContain("host-b:Prepare", _cluster.World.Journal(vm));
    }

    [Theory]
    [InlineData("CheckSource", MigrationPhase.Check)]
    [InlineData("CheckDestination", MigrationPhase.Check)]
    [InlineData("Prepare", MigrationPhase.Prepare)]
    [InlineData("StartCopy", MigrationPhase.Copy)]
    [InlineData("GetTransfer", MigrationPhase.Copy)]
    [InlineData("Suspend", MigrationPhase.Suspend)]
    [InlineData("Switch", MigrationPhase.Switch)]
    [InlineData("WaitLoaded", MigrationPhase.Switch)]
    public async Task Act_Throws_IsRolledBackWithItsReason(string method, MigrationPhase phase)
    {
        var vm = _cluster.AddVm();
        _cluster.World.Throw(vm, method, Broken);

        var result = await _cluster.RolledBackAsync(vm, phase, FabricErrorCode.Failed);

        Assert.Equal("the wire broke", result.Reason);
    }

    [Fact]
    public async Task Copy_SourceReportsAnError_IsRolledBack()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Return(vm, "GetTransfer", new TransferStatus(1, false, "the destination closed the connection", Samples.Transfer, 1, 1, 1));

        var result = await _cluster.RolledBackAsync(vm, MigrationPhase.Copy, FabricErrorCode.Failed);

        Assert.Equal("the destination closed the connection", result.Reason);
        Assert.Equal(Samples.Transfer, result.Transfer);
    }

    [Fact]
    public async Task Copy_DestinationReportsAnError_IsRolledBack()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Script(vm, "LookLoaded", static call =>
            Task.FromResult<object?>(call.Attempt == 1 ? null : new LoadReport(false, "its QEMU ended", 0, null)));

        Assert.Equal("its QEMU ended", (await _cluster.RolledBackAsync(vm, MigrationPhase.Copy, FabricErrorCode.Failed)).Reason);
    }

    [Fact]
    public async Task Suspend_GuestVetoes_IsRefusedAndRolledBack()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Throw(vm, "Suspend", new FabricException(FabricErrorCode.Refused, "the guest said no: backup running"));

        var result = await _cluster.RolledBackAsync(vm, MigrationPhase.Suspend, FabricErrorCode.Refused);

        Assert.Contains("backup running", result.Reason, StringComparison.Ordinal);
        Assert.Null(result.PauseMs);
    }

    [Fact]
    public async Task Switch_SourceFailsAfterTheHandOverWhileTheStateLoads_IsRolledBack()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Throw(vm, "SwitchReport", Broken);
        _cluster.World.Hold(vm, "WaitLoaded");

        await _cluster.RolledBackAsync(vm, MigrationPhase.Switch, FabricErrorCode.Failed);
    }

    [Fact]
    public async Task Switch_SourceFailsAfterTheCommit_DestinationRunsAndTheMigrationSucceeded()
    {
        var vm = _cluster.AddVm();
        var running = new Gate();
        _cluster.World.Script(vm, "SwitchReport", async call =>
        {
            await running.PassAsync(call.Cancelled);
            throw Broken;
        });
        _cluster.World.Script(vm, "Run", _ =>
        {
            running.Open();
            return Task.FromResult<object?>(null);
        });

        var result = await _cluster.MigrateToTheEndAsync(vm);

        Assert.Equal((OperationOutcome.Succeeded, "host-b", 2L), (result.Outcome, result.RunsOn, result.Epoch));
        Assert.Null(result.PauseMs);
        _cluster.AssertOnlyRunsOn(vm, "host-b");
    }

    [Fact]
    public async Task Switch_DestinationCannotLoad_IsRolledBack()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Return(vm, "WaitLoaded", new LoadReport(false, "device state of another version", 0, null));

        Assert.Equal("device state of another version", (await _cluster.RolledBackAsync(vm, MigrationPhase.Switch, FabricErrorCode.Failed)).Reason);
    }

    [Fact]
    public async Task Switch_DestinationNeverLoads_IsATimeout()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Return(vm, "WaitLoaded", new LoadReport(false, null, 0, null));

        await _cluster.RolledBackAsync(vm, MigrationPhase.Switch, FabricErrorCode.Timeout);
    }

    [Theory]
    [InlineData("other")]
    [InlineData(null)]
    public async Task Switch_DigestsDiffer_NeverCommits(string? digest)
    {
        var vm = _cluster.AddVm();
        _cluster.World.Return(vm, "WaitLoaded", new LoadReport(true, null, 1, digest));

        var result = await _cluster.RolledBackAsync(vm, MigrationPhase.Switch, FabricErrorCode.Failed, new MigrationOptions(Verify: true));

        Assert.False(result.Verified);
        Assert.DoesNotContain("db:Commit", _cluster.World.Journal(vm));
    }

    [Theory]
    [InlineData("RollBack")]
    [InlineData("Discard")]
    public async Task RollBack_OneSideFails_OtherSideIsUndoneAndItEnds(string method)
    {
        var vm = _cluster.AddVm();
        _cluster.World.Throw(vm, "StartCopy", Broken);
        _cluster.World.Throw(vm, method, FabricException.Unavailable("the peer does not answer"));

        var result = await _cluster.MigrateToTheEndAsync(vm);

        Assert.Equal((OperationOutcome.Failed, MigrationPhase.Copy, "host-a", 1L), (result.Outcome, result.FailedPhase, result.RunsOn, result.Epoch));
        Assert.Contains("host-a:RollBack", _cluster.World.Journal(vm));
        Assert.Contains("host-b:Discard", _cluster.World.Journal(vm));
        _cluster.AssertOnlyRunsOn(vm, "host-a");
    }

    [Fact]
    public async Task Migrate_AfterARollBack_MayBeAskedForAgain()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Throw(vm, "Suspend", Broken, times: 1);
        await _cluster.RolledBackAsync(vm, MigrationPhase.Suspend, FabricErrorCode.Failed);

        var result = await _cluster.MigrateToTheEndAsync(vm);

        Assert.Equal((OperationOutcome.Succeeded, 3L), (result.Outcome, result.Epoch));
        _cluster.AssertOnlyRunsOn(vm, "host-b");
    }
}
