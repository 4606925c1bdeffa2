using Architekt.Fabric.Grains.Tests.Fakes;
using Microsoft.Extensions.DependencyInjection;

namespace Architekt.Fabric.Grains.Tests.Migrations;

/// <summary>Something fails at the commit or after it: where it is decided who runs, and with which epoch.</summary>
public sealed class CommitFailureTests(SharedCluster shared)
{
    private static readonly FabricException Broken = new(FabricErrorCode.Failed, "the wire broke");

    private readonly FabricCluster _cluster = shared.Cluster;

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

        await _cluster.RolledBackAsync(vm, MigrationPhase.Commit, FabricErrorCode.StaleEpoch);
    }

    [Fact]
    public async Task Commit_VmWasTakenOver_IsStaleWhateverFailedFirstAndTheSourceStaysStopped()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Script(vm, "WaitLoaded", _ =>
        {
            TakeOver(vm);
            return Task.FromResult<object?>(new LoadReport(false, "its QEMU has ended", 0, null));
        });

        var result = await _cluster.MigrateToTheEndAsync(vm);

        Assert.Equal((OperationOutcome.Failed, FabricErrorCode.StaleEpoch), (result.Outcome, result.ErrorCode));
        Assert.Equal($"'{vm}' is no longer owned by 'host-a' with epoch 1", result.Reason);
        Assert.Equal(("host-c", 3L), (result.RunsOn, result.Epoch));
        Assert.DoesNotContain("host-a:RollBack", _cluster.World.Journal(vm));
        Assert.Contains("host-b:Discard", _cluster.World.Journal(vm));
        Assert.Empty(_cluster.World.RunningOn(vm));
    }

    [Fact]
    public async Task Commit_UnknownAndNotDone_IsWithdrawnAndRolledBack()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Return(vm, "Commit", CommitOutcome.Unknown);

        await _cluster.RolledBackAsync(vm, MigrationPhase.Commit, FabricErrorCode.Unavailable);
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
        _cluster.AssertOnlyRunsOn(vm, "host-b");
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
        _cluster.AssertOnlyRunsOn(vm, "host-a");
    }

    [Fact]
    public async Task Run_FailsForAWhile_IsRepeatedUntilItSucceeds()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Throw(vm, "Run", FabricException.Unavailable("the peer does not answer"), times: 2);

        var result = await _cluster.MigrateToTheEndAsync(vm);

        Assert.Equal(OperationOutcome.Succeeded, result.Outcome);
        Assert.Equal(3, _cluster.World.Journal(vm).Count(entry => entry == "host-b:Run"));
        _cluster.AssertOnlyRunsOn(vm, "host-b");
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

    /// <summary>The report that all is loaded is under way for so long that it says nothing of now.</summary>
    private static void ReportLate(FabricCluster cluster, string vm, JumpingClock clock) => cluster.World.Script(vm, "WaitLoaded", _ =>
    {
        clock.Jump(TimeSpan.FromSeconds(1));
        return Task.FromResult<object?>(null);
    });

    private void TakeOver(string vm) => _cluster.World.Database.Do(tables =>
    {
        tables.Change(vm, static info => info with { Host = "host-c", Epoch = 3, Operation = null });
        return true;
    });

    private void LoseTheAnswerOfTheCommit(string vm) => _cluster.World.Script(vm, "Commit", _ =>
    {
        var plan = _cluster.World.Database.Do(tables => tables.Operations.Values.Single(known => known.Info.Vm == vm).Plan);
        Assert.Equal(CommitOutcome.Committed, _cluster.World.Database.Commit(plan));
        return Task.FromResult<object?>(CommitOutcome.Unknown);
    });

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
