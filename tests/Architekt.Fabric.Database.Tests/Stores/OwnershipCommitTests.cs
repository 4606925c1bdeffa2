using Architekt.Fabric.Grains;
using Architekt.Fabric.Testing;
using CsCheck;
using Npgsql;

namespace Architekt.Fabric.Database.Tests;

public sealed class OwnershipCommitTests(PostgresDatabase database) : StoreTest(database), IClassFixture<PostgresDatabase>
{
    [Fact]
    public async Task Commit_Reserved_MakesTheDestinationTheOwner()
    {
        var plan = await BeginAsync();
        Assert.Equal(CommitOutcome.Committed, await Vms.CommitAsync(plan, Cancellation));
        var info = (await Vms.FindAsync(plan.Vm, Cancellation))!.Info;
        Assert.Equal(("host-b", 2L, (string?)null), (info.Host, info.Epoch, info.Operation));
        Assert.InRange(DateTimeOffset.UtcNow - info.OwnedSince, TimeSpan.FromMinutes(-1), TimeSpan.FromMinutes(1));
        Assert.Equal(MigrationPhase.Run, (await Operations.FindAsync(plan.Operation, Cancellation))!.Phase);
        Assert.Equal(1L, await ScalarAsync<long>(
            $"SELECT count(*) FROM fabric.ownership_history WHERE vm = '{plan.Vm}' AND epoch = 2 AND host = 'host-b' AND operation = '{plan.Operation}'"));
        var recorded = Sink.Events.Last();
        Assert.Equal((EventKinds.VmMoved, "host-b", 2L, plan.Operation), (recorded.Kind, recorded.Host, recorded.Epoch, recorded.Operation));
    }

    /// <summary>Its host records the end of a source that died after it had handed everything over; the guest goes on all the same.</summary>
    [Theory]
    [InlineData(false, VmState.Running)]
    [InlineData(true, VmState.Failed)]
    public async Task Commit_SourceRecordedAsFailed_ShowsWhetherTheVmRuns(bool isStopped, VmState expected)
    {
        var plan = await BeginAsync();
        Assert.True(await Vms.SetStateAsync(plan.Vm, plan.Epoch, VmState.Failed, "its peer died", null, Cancellation));
        Assert.Equal(CommitOutcome.Committed, await Vms.CommitAsync(plan with { IsStopped = isStopped }, Cancellation));
        var info = (await Vms.FindAsync(plan.Vm, Cancellation))!.Info;
        Assert.Equal((expected, isStopped ? "its peer died" : null), (info.State, info.Reason));
    }

    [Fact]
    public async Task Commit_Repeated_IsRefused()
    {
        var plan = await BeginAsync();
        Assert.Equal(CommitOutcome.Committed, await Vms.CommitAsync(plan, Cancellation));
        Assert.Equal(CommitOutcome.Refused, await Vms.CommitAsync(plan, Cancellation));
        Assert.Equal(2, (await Vms.FindAsync(plan.Vm, Cancellation))!.Info.Epoch);
    }

    [Fact]
    public async Task Commit_OtherEpochHostOrReservation_IsRefusedAndChangesNothing()
    {
        var plan = await BeginAsync();
        var before = await Vms.FindAsync(plan.Vm, Cancellation);
        Assert.Equal(CommitOutcome.Refused, await Vms.CommitAsync(plan with { Epoch = 2 }, Cancellation));
        Assert.Equal(CommitOutcome.Refused, await Vms.CommitAsync(plan with { Source = "host-c" }, Cancellation));
        Assert.Equal(CommitOutcome.Refused, await Vms.CommitAsync(plan with { Operation = "another" }, Cancellation));
        Assert.Equal(CommitOutcome.Refused, await Vms.CommitAsync(plan with { Vm = "nobody" }, Cancellation));
        Assert.Equal(before, await Vms.FindAsync(plan.Vm, Cancellation));
    }

    [Fact]
    public async Task Commit_NoReservation_IsRefused() =>
        Assert.Equal(CommitOutcome.Refused, await Vms.CommitAsync(Plan(await CreateVmAsync()), Cancellation));

    [Fact]
    public async Task Commit_OperationEnded_IsRefused()
    {
        var plan = await BeginAsync();
        await Operations.EndAsync(Result(plan, OperationOutcome.Cancelled), Cancellation);
        Assert.Equal(CommitOutcome.Refused, await Vms.CommitAsync(plan, Cancellation));
    }

    [Fact]
    public async Task Withdraw_BeforeCommit_MakesItImpossible()
    {
        var plan = await BeginAsync();
        Assert.Equal(WithdrawOutcome.Withdrawn, await Vms.WithdrawAsync(plan, Cancellation));
        Assert.Equal(EventKinds.MigrationWithdrawn, Sink.Events.Last().Kind);
        Assert.Equal(CommitOutcome.Refused, await Vms.CommitAsync(plan, Cancellation));
        var events = Sink.Events.Count;
        Assert.Equal(WithdrawOutcome.Withdrawn, await Vms.WithdrawAsync(plan, Cancellation));
        Assert.Equal(events, Sink.Events.Count);
        Assert.Equal("host-a", (await Vms.FindAsync(plan.Vm, Cancellation))!.Info.Host);
    }

    [Fact]
    public async Task Withdraw_AfterCommit_SaysSoEvenWhenTheVmHasMovedOn()
    {
        var plan = await BeginAsync();
        await Vms.CommitAsync(plan, Cancellation);
        Assert.Equal(WithdrawOutcome.AlreadyCommitted, await Vms.WithdrawAsync(plan, Cancellation));
        await Operations.EndAsync(Result(plan), Cancellation);
        var back = Plan(plan.Vm, "host-b", "host-a", epoch: 2);
        await Operations.BeginAsync(back, Cancellation);
        await Vms.CommitAsync(back, Cancellation);
        Assert.Equal(WithdrawOutcome.AlreadyCommitted, await Vms.WithdrawAsync(plan, Cancellation));
        await Operations.EndAsync(Result(back), Cancellation);
        await Vms.DeleteAsync(plan.Vm, 3, Cancellation);
        Assert.Equal(WithdrawOutcome.AlreadyCommitted, await Vms.WithdrawAsync(plan, Cancellation));
    }

    [Fact]
    public async Task Withdraw_CommitInFlight_WaitsForIt()
    {
        var plan = await BeginAsync();
        await using var connection = await Database.Source.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await using var move = new NpgsqlCommand(
            $"""
            UPDATE fabric.vm SET host = 'host-b', epoch = 2, reserved_by = NULL WHERE name = '{plan.Vm}';
            INSERT INTO fabric.ownership_history (vm, epoch, host, operation, change, since) VALUES ('{plan.Vm}', 2, 'host-b', '{plan.Operation}', 'Migrated', now())
            """,
            connection);
        await move.ExecuteNonQueryAsync(Cancellation);

        var withdrawing = Vms.WithdrawAsync(plan, Cancellation);
        await WaitUntilAsync(() => ScalarAsync<bool>("SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%reserved_by = NULL%')"));
        Assert.False(withdrawing.IsCompleted);
        await transaction.CommitAsync(Cancellation);
        Assert.Equal(WithdrawOutcome.AlreadyCommitted, await withdrawing);
    }

    [Fact]
    public async Task CommitAndWithdraw_RacedWithSeveralCallers_ExactlyOneWins()
    {
        var races = 0;
        await Gen.Select(Gen.Int[1, 3], Gen.Int[1, 3], Gen.Bool, Gen.Int[0, 3]).SampleAsync(
            async (commits, withdrawals, withdrawFirst, delay) =>
            {
                Interlocked.Increment(ref races);
                var plan = await BeginAsync();
                var committing = new List<Task<CommitOutcome>>();
                var withdrawing = new List<Task<WithdrawOutcome>>();
                Action commit = () => committing.AddRange(Enumerable.Range(0, commits).Select(_ => Task.Run(() => Vms.CommitAsync(plan, Cancellation), Cancellation)));
                Action withdraw = () => withdrawing.AddRange(Enumerable.Range(0, withdrawals).Select(_ => Task.Run(() => Vms.WithdrawAsync(plan, Cancellation), Cancellation)));
                (withdrawFirst ? withdraw : commit)();
                Thread.SpinWait(delay * 20_000);
                (withdrawFirst ? commit : withdraw)();

                var committed = (await Task.WhenAll(committing)).Count(outcome => outcome == CommitOutcome.Committed);
                var outcomes = await Task.WhenAll(withdrawing);
                var owner = (await Vms.FindAsync(plan.Vm, Cancellation))!.Info;
                Assert.InRange(committed, 0, 1);
                Assert.All(outcomes, outcome => Assert.Equal(committed == 1 ? WithdrawOutcome.AlreadyCommitted : WithdrawOutcome.Withdrawn, outcome));
                Assert.Equal(committed == 1 ? ("host-b", 2L) : ("host-a", 1L), (owner.Host, owner.Epoch));
            },
            iter: 150, threads: 2);
        Assert.True(races >= 150);
    }

    [Fact]
    public async Task Rehearse_ThenCommit_UsesTheSamePreparedStatementAndChangesNothing()
    {
        var plan = await BeginAsync();
        var events = await ScalarAsync<long>("SELECT count(*) FROM fabric.event");
        var history = await ScalarAsync<long>("SELECT count(*) FROM fabric.ownership_history");
        for (var i = 0; i < 3; i++) await Vms.RehearseCommitAsync(plan, Cancellation);
        Assert.Equal(events, await ScalarAsync<long>("SELECT count(*) FROM fabric.event"));
        Assert.Equal(history, await ScalarAsync<long>("SELECT count(*) FROM fabric.ownership_history"));
        var vm = (await Vms.FindAsync(plan.Vm, Cancellation))!.Info;
        Assert.Equal((plan.Source, plan.Epoch, plan.Operation), (vm.Host, vm.Epoch, vm.Operation));
        Assert.NotEqual(MigrationPhase.Run, (await Operations.FindAsync(plan.Operation, Cancellation))!.Phase);

        await using var connection = await Database.CommitSource.OpenConnectionAsync(Cancellation);
        await using var count = new NpgsqlCommand("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%WITH moved%'", connection);
        Assert.Equal(1L, await count.ExecuteScalarAsync(Cancellation));
        await connection.CloseAsync();
        Assert.Equal(CommitOutcome.Committed, await Vms.CommitAsync(plan, Cancellation));
    }

    [Fact]
    public async Task Commit_RowLockedForLong_IsUnknownWithinTheLimitAndThenWithdrawn()
    {
        var plan = await BeginAsync();
        await using (var connection = await Database.Source.OpenConnectionAsync(Cancellation))
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await using var hold = new NpgsqlCommand($"SELECT 1 FROM fabric.vm WHERE name = '{plan.Vm}' FOR UPDATE", connection);
            await hold.ExecuteNonQueryAsync(Cancellation);
            Assert.Equal(CommitOutcome.Unknown, await Vms.CommitAsync(plan, Cancellation).WaitAsync(TimeSpan.FromSeconds(FabricConnection.CommitSeconds + 3), Cancellation));
            await transaction.RollbackAsync(Cancellation);
        }

        Assert.Equal(WithdrawOutcome.Withdrawn, await Vms.WithdrawAsync(plan, Cancellation));
    }

    private static async Task WaitUntilAsync(Func<Task<bool>> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(10));
        while (!await condition()) await Task.Delay(10, limit.Token);
    }
}
