using Architekt.Fabric.Grains.Tests.Fakes;
using Microsoft.Extensions.DependencyInjection;

namespace Architekt.Fabric.Grains.Tests.Migrations;

/// <summary>Something fails in each phase; what counts is who runs afterwards, with which epoch, and what was undone.</summary>
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

        var result = await RolledBackAsync(vm, MigrationPhase.Check, FabricErrorCode.Refused);

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

        var result = await RolledBackAsync(vm, phase, FabricErrorCode.Failed);

        Assert.Equal("the wire broke", result.Reason);
    }

    [Fact]
    public async Task Copy_SourceReportsAnError_IsRolledBack()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Return(vm, "GetTransfer", new TransferStatus(1, false, "the destination closed the connection", Samples.Transfer, 1, 1, 1));

        var result = await RolledBackAsync(vm, MigrationPhase.Copy, FabricErrorCode.Failed);

        Assert.Equal("the destination closed the connection", result.Reason);
        Assert.Equal(Samples.Transfer, result.Transfer);
    }

    [Fact]
    public async Task Copy_DestinationReportsAnError_IsRolledBack()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Script(vm, "LookLoaded", static call =>
            Task.FromResult<object?>(call.Attempt == 1 ? null : new LoadReport(false, "its QEMU ended", 0, null)));

        Assert.Equal("its QEMU ended", (await RolledBackAsync(vm, MigrationPhase.Copy, FabricErrorCode.Failed)).Reason);
    }

    [Fact]
    public async Task Suspend_GuestVetoes_IsRefusedAndRolledBack()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Throw(vm, "Suspend", new FabricException(FabricErrorCode.Refused, "the guest said no: backup running"));

        var result = await RolledBackAsync(vm, MigrationPhase.Suspend, FabricErrorCode.Refused);

        Assert.Contains("backup running", result.Reason, StringComparison.Ordinal);
        Assert.Null(result.PauseMs);
    }

    [Fact]
    public async Task Switch_SourceFailsAfterTheHandOverWhileTheStateLoads_IsRolledBack()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Throw(vm, "SwitchReport", Broken);
        _cluster.World.Hold(vm, "WaitLoaded");

        await RolledBackAsync(vm, MigrationPhase.Switch, FabricErrorCode.Failed);
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
        AssertOnlyRunsOn(vm, "host-b");
    }

    [Fact]
    public async Task Switch_DestinationCannotLoad_IsRolledBack()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Return(vm, "WaitLoaded", new LoadReport(false, "device state of another version", 0, null));

        Assert.Equal("device state of another version", (await RolledBackAsync(vm, MigrationPhase.Switch, FabricErrorCode.Failed)).Reason);
    }

    [Fact]
    public async Task Switch_DestinationNeverLoads_IsATimeout()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Return(vm, "WaitLoaded", new LoadReport(false, null, 0, null));

        await RolledBackAsync(vm, MigrationPhase.Switch, FabricErrorCode.Timeout);
    }

    [Theory]
    [InlineData("other")]
    [InlineData(null)]
    public async Task Switch_DigestsDiffer_NeverCommits(string? digest)
    {
        var vm = _cluster.AddVm();
        _cluster.World.Return(vm, "WaitLoaded", new LoadReport(true, null, 1, digest));

        var result = await RolledBackAsync(vm, MigrationPhase.Switch, FabricErrorCode.Failed, new MigrationOptions(Verify: true));

        Assert.False(result.Verified);
        Assert.DoesNotContain("db:Commit", _cluster.World.Journal(vm));
    }

    [Fact]
    public async Task Commit_DestinationHasDiedSinceItLoaded_IsRolledBackAndTheSourceRunsOn()
    {
        var clock = new JumpingClock();
        await using var cluster = await FabricCluster.StartAsync(2, silo => silo.Services.AddSingleton<TimeProvider>(clock));
        var vm = cluster.AddVm();
        ReportLate(cluster, vm, clock);
        cluster.World.Throw(vm, "ConfirmLoaded", new FabricException(FabricErrorCode.Failed, "its QEMU has ended"));

        var result = await cluster.MigrateToTheEndAsync(vm);

        Assert.Equal((OperationOutcome.Failed, MigrationPhase.Commit, "its QEMU has ended"), (result.Outcome, result.FailedPhase, result.Reason));
        Assert.DoesNotContain("db:Commit", cluster.World.Journal(vm));
        Assert.Equal(["host-a"], cluster.World.RunningOn(vm));
    }

    [Fact]
    public async Task Commit_ReportOfTheLoadingIsNew_NobodyIsAskedAgain()
    {
        await using var cluster = await FabricCluster.StartAsync(2, static silo => silo.Services.AddSingleton<TimeProvider>(new StoppedClock()));
        var vm = cluster.AddVm();

        await cluster.MigrateToTheEndAsync(vm);

        Assert.Contains("db:Commit", cluster.World.Journal(vm));
        Assert.DoesNotContain("host-b:ConfirmLoaded", cluster.World.Journal(vm));
    }

    [Fact]
    public async Task Commit_DestinationAlwaysAnswersLate_IsATimeoutAndNeverCommits()
    {
        var clock = new JumpingClock();
        await using var cluster = await FabricCluster.StartAsync(2, silo => silo.Services.AddSingleton<TimeProvider>(clock));
        var vm = cluster.AddVm();
        ReportLate(cluster, vm, clock);
        cluster.World.Script(vm, "ConfirmLoaded", _ =>
        {
            clock.Jump(TimeSpan.FromSeconds(1));
            return Task.FromResult<object?>(null);
        });

        var result = await cluster.MigrateToTheEndAsync(vm);

        Assert.Equal((OperationOutcome.Failed, MigrationPhase.Commit, FabricErrorCode.Timeout), (result.Outcome, result.FailedPhase, result.ErrorCode));
        Assert.DoesNotContain("db:Commit", cluster.World.Journal(vm));
        Assert.Equal(["host-a"], cluster.World.RunningOn(vm));
    }

    [Fact]
    public async Task Commit_Refused_IsStaleAndRolledBack()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Return(vm, "Commit", CommitOutcome.Refused);

        await RolledBackAsync(vm, MigrationPhase.Commit, FabricErrorCode.StaleEpoch);
    }

    [Fact]
    public async Task Commit_UnknownAndNotDone_IsWithdrawnAndRolledBack()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Return(vm, "Commit", CommitOutcome.Unknown);

        await RolledBackAsync(vm, MigrationPhase.Commit, FabricErrorCode.Unavailable);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task Commit_UnknownButDone_RunsOnTheDestinationOnceKnown(int unansweredWithdrawals)
    {
        var vm = _cluster.AddVm();
        LoseTheAnswerOfTheCommit(vm);
        _cluster.World.Return(vm, "Withdraw", WithdrawOutcome.Unknown, unansweredWithdrawals);

        var result = await _cluster.MigrateToTheEndAsync(vm);

        Assert.Equal((OperationOutcome.Succeeded, "host-b", 2L), (result.Outcome, result.RunsOn, result.Epoch));
        var journal = _cluster.World.Journal(vm);
        Assert.Equal(unansweredWithdrawals + 1, journal.Count(entry => entry == "db:Withdraw"));
        Assert.DoesNotContain("host-a:RollBack", journal);
        Assert.DoesNotContain("host-b:Discard", journal);
        AssertOnlyRunsOn(vm, "host-b");
    }

    [Fact]
    public async Task Commit_UnknownAndNobodyAnswers_BothStayPausedUntilKnown()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Return(vm, "Commit", CommitOutcome.Unknown);
        var known = new Gate();
        _cluster.World.Script(vm, "Withdraw", async call =>
        {
            if (call.Attempt <= 2) return WithdrawOutcome.Unknown;
            await known.PassAsync(call.Cancelled);
            return null;
        });
        var operation = await _cluster.MigrateAsync(vm);
        await known.Entered;

        Assert.Empty(_cluster.World.RunningOn(vm));

        known.Open();
        Assert.Equal(OperationOutcome.Failed, (await _cluster.ResultAsync(operation.Id)).Outcome);
        AssertOnlyRunsOn(vm, "host-a");
    }

    [Fact]
    public async Task Run_FailsForAWhile_IsRepeatedUntilItSucceeds()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Throw(vm, "Run", FabricException.Unavailable("the peer does not answer"), times: 2);

        var result = await _cluster.MigrateToTheEndAsync(vm);

        Assert.Equal(OperationOutcome.Succeeded, result.Outcome);
        Assert.Equal(3, _cluster.World.Journal(vm).Count(entry => entry == "host-b:Run"));
        AssertOnlyRunsOn(vm, "host-b");
    }

    [Fact]
    public async Task Run_FailsForGood_DestinationStaysTheOwnerAndTheSourceNeverRuns()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Throw(vm, "Run", Broken);

        var result = await _cluster.MigrateToTheEndAsync(vm);

        Assert.Equal(
            (OperationOutcome.Failed, MigrationPhase.Run, FabricErrorCode.Failed, "host-b", 2L),
            (result.Outcome, result.FailedPhase, result.ErrorCode, result.RunsOn, result.Epoch));
        var row = _cluster.Row(vm);
        Assert.Equal((VmState.Failed, "the wire broke", "host-b", 2L), (row.State, row.Reason, row.Host, row.Epoch));
        Assert.DoesNotContain("host-a:RollBack", _cluster.World.Journal(vm));
        Assert.Empty(_cluster.World.RunningOn(vm));
    }

    /// <summary>The destination may have all of the guest and only its silo be gone: nobody may call that VM failed, and start it from its disk.</summary>
    [Fact]
    public async Task Run_DestinationIsOutOfReachForTooLong_EndsAndLeavesTheVmToItsHost()
    {
        var clock = new JumpingClock();
        await using var cluster = await FabricCluster.StartAsync(2, silo => silo.Services.AddSingleton<TimeProvider>(clock));
        var vm = cluster.AddVm();
        cluster.World.Script(vm, "Run", _ =>
        {
            clock.Jump(TimeSpan.FromMinutes(1));
            throw FabricException.Unavailable("the silo is gone");
        });

        var result = await cluster.MigrateToTheEndAsync(vm);

        Assert.Equal((OperationOutcome.Failed, MigrationPhase.Run, "host-b", 2L), (result.Outcome, result.FailedPhase, result.RunsOn, result.Epoch));
        Assert.Contains("belongs to 'host-b' now", result.Reason, StringComparison.Ordinal);
        var row = cluster.Row(vm);
        Assert.Equal((VmState.Unknown, "host-b", 2L), (row.State, row.Host, row.Epoch));
        Assert.DoesNotContain("host-a:RollBack", cluster.World.Journal(vm));
    }

    [Fact]
    public async Task Release_Fails_SucceededAllTheSame()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Throw(vm, "Release", Broken);

        var result = await _cluster.MigrateToTheEndAsync(vm);

        Assert.Equal((OperationOutcome.Succeeded, "host-b"), (result.Outcome, result.RunsOn));
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
        AssertOnlyRunsOn(vm, "host-a");
    }

    [Fact]
    public async Task Migrate_AfterARollBack_MayBeAskedForAgain()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Throw(vm, "Suspend", Broken, times: 1);
        await RolledBackAsync(vm, MigrationPhase.Suspend, FabricErrorCode.Failed);

        var result = await _cluster.MigrateToTheEndAsync(vm);

        Assert.Equal((OperationOutcome.Succeeded, 3L), (result.Outcome, result.Epoch));
        AssertOnlyRunsOn(vm, "host-b");
    }

    /// <summary>The report that all is loaded is under way for so long that it says nothing of now.</summary>
    private static void ReportLate(FabricCluster cluster, string vm, JumpingClock clock) => cluster.World.Script(vm, "WaitLoaded", _ =>
    {
        clock.Jump(TimeSpan.FromSeconds(1));
        return Task.FromResult<object?>(null);
    });

    private void LoseTheAnswerOfTheCommit(string vm) => _cluster.World.Script(vm, "Commit", _ =>
    {
        var plan = _cluster.World.Database.Do(tables => tables.Operations.Values.Single(known => known.Info.Vm == vm).Plan);
        Assert.Equal(CommitOutcome.Committed, _cluster.World.Database.Commit(plan));
        return Task.FromResult<object?>(CommitOutcome.Unknown);
    });

    private async Task<MigrationResult> RolledBackAsync(string vm, MigrationPhase phase, FabricErrorCode code, MigrationOptions? options = null)
    {
        var result = await _cluster.MigrateToTheEndAsync(vm, options: options);

        Assert.Equal((OperationOutcome.Failed, phase, code), (result.Outcome, result.FailedPhase, result.ErrorCode));
        Assert.Equal(("host-a", 1L), (result.RunsOn, result.Epoch));
        var row = _cluster.Row(vm);
        Assert.Equal(("host-a", 1L, VmState.Running, null), (row.Host, row.Epoch, row.State, row.Operation));
        var journal = _cluster.World.Journal(vm);
        Assert.Contains("host-a:RollBack", journal);
        Assert.Contains("host-b:Discard", journal);
        Assert.True(IndexOf("db:Withdraw") < IndexOf("host-a:RollBack"), "the source went on before the reservation was given back");
        Assert.DoesNotContain("host-b:Run", journal);
        Assert.DoesNotContain("host-a:Release", journal);
        AssertOnlyRunsOn(vm, "host-a");
        return result;

        int IndexOf(string entry) => journal.ToList().IndexOf(entry);
    }

    private void AssertOnlyRunsOn(string vm, string host)
    {
        Assert.Equal([host], _cluster.World.RunningOn(vm));
        Assert.Empty(_cluster.World.Violations);
    }

    /// <summary>On it nothing ever takes time, whatever else the machine does; what waits, waits as usual.</summary>
    private sealed class StoppedClock : TimeProvider
    {
        private readonly long _timestamp = System.GetTimestamp();

        public override long GetTimestamp() => _timestamp;
    }

    private sealed class JumpingClock : TimeProvider
    {
        private long _ahead;

        public void Jump(TimeSpan by) => Interlocked.Add(ref _ahead, by.Ticks);

        public override long GetTimestamp() => base.GetTimestamp() + (long)(Interlocked.Read(ref _ahead) / (double)TimeSpan.TicksPerSecond * TimestampFrequency);

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddTicks(Interlocked.Read(ref _ahead));
    }
}
