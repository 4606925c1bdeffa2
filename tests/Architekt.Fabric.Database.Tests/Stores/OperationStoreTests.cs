using Architekt.Fabric.Grains;
using Architekt.Fabric.Testing;

namespace Architekt.Fabric.Database.Tests;

public sealed class OperationStoreTests(PostgresDatabase database) : StoreTest(database), IClassFixture<PostgresDatabase>
{
    [Fact]
    public async Task Begin_FreeVm_RecordsItAndReservesTheNextEpoch()
    {
        var plan = Plan(await CreateVmAsync());
        var operation = await Operations.BeginAsync(plan, Cancellation);
        Assert.Equal(
            new OperationInfo(plan.Operation, "migrate", plan.Vm, "host-a", "host-b", 2, MigrationPhase.Check, OperationOutcome.Running, null, plan.RequestedAt, null),
            operation);
        Assert.Equal(operation, await Operations.FindAsync(plan.Operation, Cancellation));
        Assert.Equal(plan with { ReservedEpoch = 2 }, await Operations.FindPlanAsync(plan.Operation, Cancellation));
        Assert.Null(await Operations.FindResultAsync(plan.Operation, Cancellation));
        Assert.Equal(plan.Operation, (await Vms.FindAsync(plan.Vm, Cancellation))!.Info.Operation);
        Assert.Equal(EventKinds.MigrationRequested, Sink.Events.Last().Kind);
    }

    /// <summary>Whatever is still about for a migration that was given up can then never be taken for the next one's.</summary>
    [Fact]
    public async Task Begin_AfterReservationsThatWereGivenBack_ReservesAnEpochNobodyEverHad()
    {
        var first = await BeginAsync();
        await Operations.EndAsync(Result(first, OperationOutcome.Cancelled), Cancellation);
        var second = await BeginAsync(first.Vm);
        Assert.Equal(WithdrawOutcome.Withdrawn, await Vms.WithdrawAsync(second, Cancellation));
        await Operations.EndAsync(Result(second, OperationOutcome.Failed), Cancellation);
        var asked = Plan(first.Vm);

        Assert.Equal(4, (await Operations.BeginAsync(asked, Cancellation)).Epoch);

        var third = (await Operations.FindPlanAsync(asked.Operation, Cancellation))!;
        Assert.Equal(4, third.NextEpoch);
        Assert.Equal(CommitOutcome.Committed, await Vms.CommitAsync(third, Cancellation));
        Assert.Equal(("host-b", 4L), ((await Vms.FindAsync(first.Vm, Cancellation))!.Info.Host, (await Vms.FindAsync(first.Vm, Cancellation))!.Info.Epoch));
    }

    /// <summary>A plan that was recorded before epochs were reserved for good.</summary>
    [Fact]
    public async Task FindPlan_RecordedWithoutItsEpoch_HasTheOneAfterTheSources()
    {
        var plan = await BeginAsync();
        await ExecuteAsync($"UPDATE fabric.operation SET plan = plan - 'reservedEpoch' WHERE id = '{plan.Operation}'");

        Assert.Equal(2, (await Operations.FindPlanAsync(plan.Operation, Cancellation))!.NextEpoch);
    }

    [Fact]
    public async Task Begin_KnownId_ReturnsWhatIsRecorded()
    {
        var plan = await BeginAsync();
        var again = await Operations.BeginAsync(plan with { Destination = "host-z" }, Cancellation);
        Assert.Equal("host-b", again.Destination);
        await Operations.EndAsync(Result(plan, OperationOutcome.Failed), Cancellation);
        Assert.Equal(OperationOutcome.Failed, (await Operations.BeginAsync(plan, Cancellation)).Outcome);
        Assert.Equal(1, Sink.Events.Count(e => e.Kind == EventKinds.MigrationRequested));
    }

    [Fact]
    public async Task Begin_SecondOperation_ThrowsConflictNamingTheFirst()
    {
        var plan = await BeginAsync();
        var thrown = await ThrowsAsync(FabricErrorCode.Conflict, () => Operations.BeginAsync(Plan(plan.Vm), Cancellation));
        Assert.Contains($"'{plan.Operation}'", thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("host-a", 2)]
    [InlineData("host-c", 1)]
    public async Task Begin_OtherOwnerOrEpoch_ThrowsStaleEpoch(string source, long epoch)
    {
        var vm = await CreateVmAsync();
        var plan = Plan(vm, source, epoch: epoch);
        await ThrowsAsync(FabricErrorCode.StaleEpoch, () => Operations.BeginAsync(plan, Cancellation));
        Assert.Null(await Operations.FindAsync(plan.Operation, Cancellation));
        Assert.Null((await Vms.FindAsync(vm, Cancellation))!.Info.Operation);
    }

    [Fact]
    public async Task Begin_OfAStoppedVmThatIsBeingStarted_ThrowsConflict()
    {
        var vm = await CreateVmAsync();
        await Vms.SetStateAsync(vm, 1, VmState.Starting, null, null, Cancellation);
        await ThrowsAsync(FabricErrorCode.Conflict, () => Operations.BeginAsync(Plan(vm) with { IsStopped = true }, Cancellation));
        Assert.Null((await Vms.FindAsync(vm, Cancellation))!.Info.Operation);
    }

    [Fact]
    public async Task Begin_UnknownVm_ThrowsNotFound() =>
        await ThrowsAsync(FabricErrorCode.NotFound, () => Operations.BeginAsync(Plan("nobody"), Cancellation));

    [Fact]
    public async Task Begin_SameOperationAHundredTimesAtOnce_IsRecordedOnceWithOneAnswer()
    {
        var plan = Plan(await CreateVmAsync());
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Operations.BeginAsync(plan, Cancellation)));
        Assert.All(answers, answer => Assert.Equal(answers[0], answer));
        Assert.Single(Sink.Events, e => e.Operation == plan.Operation && e.Kind == EventKinds.MigrationRequested);
    }

    [Fact]
    public async Task Begin_TenAtOnceOnOneVm_OneIsRecorded()
    {
        var vm = await CreateVmAsync();
        var winners = await Task.WhenAll(Enumerable.Range(0, 10).Select(async _ =>
        {
            var plan = Plan(vm);
            try
            {
                return (await Operations.BeginAsync(plan, Cancellation)).Id;
            }
            catch (FabricException e) when (e.Code == FabricErrorCode.Conflict)
            {
                return null;
            }
        }));
        var winner = Assert.Single(winners, id => id is not null);
        Assert.Equal(winner, (await Vms.FindAsync(vm, Cancellation))!.Info.Operation);
    }

    [Fact]
    public async Task Begin_OneIdForManyVmsAtOnce_AllGetTheSameOperation()
    {
        var id = Unique("op");
        var vms = new List<string>();
        for (var i = 0; i < 6; i++) vms.Add(await CreateVmAsync());
        var begun = await Task.WhenAll(vms.Select(vm => Operations.BeginAsync(Plan(vm, operation: id), Cancellation)));
        Assert.Single(begun.Distinct());
        Assert.Equal(1L, await ScalarAsync<long>($"SELECT count(*) FROM fabric.vm WHERE reserved_by = '{id}'"));
    }

    [Fact]
    public async Task SetPhase_Running_ChangesItAndRecordsIt()
    {
        var plan = await BeginAsync();
        await Operations.SetPhaseAsync(plan.Operation, MigrationPhase.Copy, Cancellation);
        Assert.Equal(MigrationPhase.Copy, (await Operations.FindAsync(plan.Operation, Cancellation))!.Phase);
        var recorded = Sink.Events.Last();
        Assert.Equal((EventKinds.MigrationPhase, plan.Operation, plan.Vm), (recorded.Kind, recorded.Operation, recorded.Vm));
        Assert.Contains("enters copy", recorded.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SetPhase_UnknownOrEnded_Throws()
    {
        await ThrowsAsync(FabricErrorCode.NotFound, () => Operations.SetPhaseAsync("nothing", MigrationPhase.Copy, Cancellation));
        var plan = await BeginAsync();
        await Operations.EndAsync(Result(plan, OperationOutcome.Cancelled), Cancellation);
        await ThrowsAsync(FabricErrorCode.Conflict, () => Operations.SetPhaseAsync(plan.Operation, MigrationPhase.Copy, Cancellation));
        Assert.Equal(MigrationPhase.Done, (await Operations.FindAsync(plan.Operation, Cancellation))!.Phase);
    }

    [Fact]
    public async Task End_Failed_KeepsTheResultAndGivesTheReservationBack()
    {
        var plan = await BeginAsync();
        var result = Result(plan, OperationOutcome.Failed);
        await Operations.EndAsync(result, Cancellation);
        var ended = (await Operations.FindAsync(plan.Operation, Cancellation))!;
        Assert.Equal((MigrationPhase.Done, OperationOutcome.Failed, "it took too long"), (ended.Phase, ended.Outcome, ended.Reason));
        Assert.NotNull(ended.EndedAt);
        var kept = (await Operations.FindResultAsync(plan.Operation, Cancellation))!;
        Assert.Equal(result.PhaseMs, kept.PhaseMs);
        Assert.Equal(result, kept with { PhaseMs = result.PhaseMs });
        Assert.Null((await Vms.FindAsync(plan.Vm, Cancellation))!.Info.Operation);
        Assert.Equal(EventKinds.MigrationEnded, Sink.Events.Last().Kind);
        await Operations.BeginAsync(Plan(plan.Vm), Cancellation);
    }

    [Fact]
    public async Task End_Twice_KeepsTheFirstAndTouchesNobodyElsesReservation()
    {
        var plan = await BeginAsync();
        await Operations.EndAsync(Result(plan, OperationOutcome.Cancelled), Cancellation);
        var next = await BeginAsync(plan.Vm);
        var events = Sink.Events.Count;
        await Operations.EndAsync(Result(plan, OperationOutcome.Failed), Cancellation);
        Assert.Equal(OperationOutcome.Cancelled, (await Operations.FindAsync(plan.Operation, Cancellation))!.Outcome);
        Assert.Equal(next.Operation, (await Vms.FindAsync(plan.Vm, Cancellation))!.Info.Operation);
        Assert.Equal(events, Sink.Events.Count);
    }

    [Fact]
    public async Task End_UnknownOrRunning_Throws()
    {
        var plan = Plan("nobody");
        await ThrowsAsync(FabricErrorCode.NotFound, () => Operations.EndAsync(Result(plan), Cancellation));
        await ThrowsAsync(FabricErrorCode.InvalidArgument, () => Operations.EndAsync(Result(plan) with { Outcome = OperationOutcome.Running }, Cancellation));
    }

    [Fact]
    public async Task List_ByVm_ReturnsNewestFirstUpToTheLimit()
    {
        var vm = await CreateVmAsync();
        var plans = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            var plan = Plan(vm) with { RequestedAt = DateTimeOffset.UnixEpoch.AddDays(i) };
            await Operations.BeginAsync(plan, Cancellation);
            await Operations.EndAsync(Result(plan, OperationOutcome.Failed), Cancellation);
            plans.Insert(0, plan.Operation);
        }

        Assert.Equal(plans, (await Operations.ListAsync(vm, 10, Cancellation)).Select(o => o.Id));
        Assert.Equal(plans.Take(2), (await Operations.ListAsync(vm, 2, Cancellation)).Select(o => o.Id));
        Assert.Contains(plans[0], (await Operations.ListAsync(null, 1000, Cancellation)).Select(o => o.Id));
        await ThrowsAsync(FabricErrorCode.InvalidArgument, () => Operations.ListAsync(null, 0, Cancellation));
    }

    [Fact]
    public async Task ListUnfinished_SourceAndDestination_SeeItUntilItEnds()
    {
        var (source, destination) = (Unique("src"), Unique("dst"));
        var vm = await CreateVmAsync(source);
        var plan = Plan(vm, source, destination);
        await Operations.BeginAsync(plan, Cancellation);
        Assert.Equal(plan.Operation, Assert.Single(await Operations.ListUnfinishedAsync(source, Cancellation)).Id);
        Assert.Equal(plan.Operation, Assert.Single(await Operations.ListUnfinishedAsync(destination, Cancellation)).Id);
        await Operations.EndAsync(Result(plan), Cancellation);
        Assert.Empty(await Operations.ListUnfinishedAsync(source, Cancellation));
    }

    [Fact]
    public async Task Find_Unknown_ReturnsNull()
    {
        Assert.Null(await Operations.FindAsync("nothing", Cancellation));
        Assert.Null(await Operations.FindPlanAsync("nothing", Cancellation));
        Assert.Null(await Operations.FindResultAsync("nothing", Cancellation));
    }
}
