using Architekt.Fabric.Grains;
using Architekt.Fabric.Testing;

namespace Architekt.Fabric.Database.Tests;

public sealed class DrainStoreTests(PostgresDatabase database) : StoreTest(database), IClassFixture<PostgresDatabase>
{
    private static readonly DateTimeOffset _at = new(2026, 5, 6, 7, 8, 9, TimeSpan.Zero);

    [Fact]
    public async Task Cordon_KnownHost_IsListedAndRecordedOnce()
    {
        var host = await HostAsync();
        Assert.True(await Drains.SetCordonedAsync(host, isCordoned: true, Cancellation));
        Assert.True(await Drains.SetCordonedAsync(host, isCordoned: true, Cancellation));
        Assert.True(await IsCordonedAsync(host));
        Assert.True(await Drains.SetCordonedAsync(host, isCordoned: false, Cancellation));
        Assert.False(await IsCordonedAsync(host));
        Assert.Equal([EventKinds.HostCordoned, EventKinds.HostUncordoned], Sink.Events.Where(e => e.Host == host).Select(e => e.Kind));
    }

    [Fact]
    public async Task Cordon_UnknownHost_IsFalse() => Assert.False(await Drains.SetCordonedAsync("nobody", isCordoned: true, Cancellation));

    [Fact]
    public async Task Report_OfACordonedHost_LeavesItCordoned()
    {
        var host = await HostAsync();
        await Drains.SetCordonedAsync(host, isCordoned: true, Cancellation);
        await Hosts.ReportAsync(Host(host) with { LastSeen = _at.AddSeconds(1) }, Cancellation);
        Assert.True(await IsCordonedAsync(host));
    }

    [Fact]
    public async Task Begin_KnownHost_CordonsItAndRecordsTheDrain()
    {
        var plan = Plan(await HostAsync(), new DrainOptions(3, 60_000, ["host-b", "host-c"]));
        var operation = await Drains.BeginAsync(plan, Cancellation);
        Assert.Equal(
            new OperationInfo(plan.Operation, "drain", null, plan.Host, null, 0, MigrationPhase.Copy, OperationOutcome.Running, null, _at, null), operation);
        Assert.Equal(operation, await Operations.FindAsync(plan.Operation, Cancellation));
        Assert.Contains(operation, await Operations.ListUnfinishedAsync(plan.Host, Cancellation));
        Assert.True(await IsCordonedAsync(plan.Host));
        var found = (await Drains.FindPlanAsync(plan.Operation, Cancellation))!;
        Assert.Equal(plan with { Options = plan.Options with { To = null } }, found with { Options = found.Options with { To = null } });
        Assert.Equal(plan.Options.To, found.Options.To);
        Assert.Equal(DrainState.Begin, await Drains.ReadStateAsync(plan.Operation, Cancellation) with { Vms = DrainState.Begin.Vms });
        Assert.Equal([EventKinds.HostCordoned, EventKinds.DrainRequested], Sink.Events.Where(e => e.Operation == plan.Operation).Select(e => e.Kind));
    }

    [Fact]
    public async Task Begin_TenAtOnceOnOneHost_OneIsRecordedAndTheOthersNameIt()
    {
        var host = await HostAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(async _ =>
        {
            try
            {
                return (await Drains.BeginAsync(Plan(host), Cancellation)).Id;
            }
            catch (FabricException e) when (e.Code == FabricErrorCode.Conflict)
            {
                return e.Message;
            }
        }));
        var running = Assert.Single(await Operations.ListUnfinishedAsync(host, Cancellation)).Id;
        Assert.Single(answers, running);
        Assert.All(answers.Where(answer => answer != running), answer => Assert.Contains($"'{running}'", answer, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Begin_KnownId_ReturnsWhatIsRecorded()
    {
        var plan = Plan(await HostAsync());
        await Drains.BeginAsync(plan, Cancellation);
        Assert.Equal(plan.Host, (await Drains.BeginAsync(plan with { Host = "host-z" }, Cancellation)).Source);
    }

    [Fact]
    public async Task Begin_UnknownHost_ThrowsNotFound() => await ThrowsAsync(FabricErrorCode.NotFound, () => Drains.BeginAsync(Plan("nobody"), Cancellation));

    [Fact]
    public async Task Uncordon_WhileItIsDrained_ThrowsConflictNamingTheDrain()
    {
        var plan = Plan(await HostAsync());
        await Drains.BeginAsync(plan, Cancellation);
        var thrown = await ThrowsAsync(FabricErrorCode.Conflict, () => Drains.SetCordonedAsync(plan.Host, isCordoned: false, Cancellation));
        Assert.Contains($"'{plan.Operation}'", thrown.Message, StringComparison.Ordinal);
        await Drains.EndAsync(Result(plan), Cancellation);
        Assert.True(await Drains.SetCordonedAsync(plan.Host, isCordoned: false, Cancellation));
    }

    [Fact]
    public async Task State_WrittenAndReadAndEnded_IsRefusedAfterwards()
    {
        var plan = Plan(await HostAsync());
        await Drains.BeginAsync(plan, Cancellation);
        var state = new DrainState(true, [new DrainedVm("redis", DrainedVmState.Moving, "host-b", "op-x-1", 1)]);
        await Drains.WriteStateAsync(plan.Operation, state, Cancellation);
        var read = await Drains.ReadStateAsync(plan.Operation, Cancellation);
        Assert.True(read.IsCancelRequested);
        Assert.Equal(state.Vms, read.Vms);

        var result = Result(plan);
        await Drains.EndAsync(result, Cancellation);
        await Drains.EndAsync(result with { Reason = "again" }, Cancellation);

        var found = (await Drains.FindResultAsync(plan.Operation, Cancellation))!;
        Assert.Equal(result.Vms, found.Vms);
        Assert.Equal(result, found with { Vms = result.Vms });
        Assert.Equal(OperationOutcome.Failed, (await Operations.FindAsync(plan.Operation, Cancellation))!.Outcome);
        Assert.Single(Sink.Events, e => e.Operation == plan.Operation && e.Kind == EventKinds.DrainEnded);
        await ThrowsAsync(FabricErrorCode.Conflict, () => Drains.WriteStateAsync(plan.Operation, state, Cancellation));
    }

    [Fact]
    public async Task BeginMigration_ToACordonedHost_ThrowsConflictAndReservesNothing()
    {
        var host = await HostAsync();
        await Drains.SetCordonedAsync(host, isCordoned: true, Cancellation);
        var vm = await CreateVmAsync();
        await ThrowsAsync(FabricErrorCode.Conflict, () => Operations.BeginAsync(Plan(vm, destination: host), Cancellation));
        Assert.Null((await Vms.FindAsync(vm, Cancellation))!.Info.Operation);
        await Drains.SetCordonedAsync(host, isCordoned: false, Cancellation);
        Assert.Equal(host, (await Operations.BeginAsync(Plan(vm, destination: host), Cancellation)).Destination);
    }

    [Fact]
    public async Task ListRunning_OnlyShowsWhatHasNotEnded()
    {
        var (ended, running) = (await BeginAsync(), await BeginAsync());
        await Operations.EndAsync(Result(ended, OperationOutcome.Failed), Cancellation);
        var drain = Plan(await HostAsync());
        await Drains.BeginAsync(drain, Cancellation);

        var listed = (await Operations.ListRunningAsync(vm: null, 1000, Cancellation)).Select(operation => operation.Id).ToList();

        Assert.Contains(running.Operation, listed);
        Assert.Contains(drain.Operation, listed);
        Assert.DoesNotContain(ended.Operation, listed);
        Assert.Equal([running.Operation], (await Operations.ListRunningAsync(running.Vm, 1000, Cancellation)).Select(operation => operation.Id));
        Assert.Empty(await Operations.ListRunningAsync(ended.Vm, 1000, Cancellation));
    }

    private static HostInfo Host(string name) => new(
        name, HostState.Ready, "192.0.2.1", 4, 8L << 30, 0, 0, "tcg", "7.2.0", "6.18", LiveMigration: true, null, "0.1.0", _at);

    private async Task<string> HostAsync()
    {
        var name = Unique("drained");
        await Hosts.ReportAsync(Host(name), Cancellation);
        return name;
    }

    private async Task<bool> IsCordonedAsync(string host) => (await Hosts.ListAsync(Cancellation)).Single(known => known.Name == host).IsCordoned;

    private static DrainPlan Plan(string host, DrainOptions? options = null) => new(Unique("op-drain"), host, options ?? new DrainOptions(), _at);

    private static DrainResult Result(DrainPlan plan) => new(
        plan.Operation, plan.Host, OperationOutcome.Failed, FabricErrorCode.NoCapacity, "'redis' did not fit", 1234.5, null,
        [new DrainedVm("redis", DrainedVmState.NoRoom, Reason: "no room"), new DrainedVm("web", DrainedVmState.Moved, "host-b", "op-x-1", 1, 900, 5.5)]);
}
