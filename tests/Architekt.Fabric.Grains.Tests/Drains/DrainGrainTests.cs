using Architekt.Fabric.Grains.Tests.Fakes;
using Orleans.Runtime.Placement;

namespace Architekt.Fabric.Grains.Tests.Drains;

/// <summary>Each test has a cluster of its own: a drain is about all VMs of a host.</summary>
public sealed class DrainGrainTests : IAsyncLifetime
{
    private FabricCluster _cluster = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _cluster = await FabricCluster.StartAsync(silos: 3);

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task Drain_RunningAndStoppedVms_LeaveAndTheHostIsCordoned()
    {
        var vms = Enumerable.Range(0, 5).Select(_ => _cluster.AddVm()).Append(_cluster.AddVm(state: VmState.Stopped)).ToList();
        var elsewhere = _cluster.AddVm("host-b");

        var result = await DrainToTheEndAsync(new DrainOptions(Parallel: 3));

        Assert.Equal((OperationOutcome.Succeeded, null), (result.Outcome, result.Reason));
        Assert.Equal(vms.Order(), result.Vms.Select(vm => vm.Vm));
        Assert.All(result.Vms, vm => Assert.Equal((DrainedVmState.Moved, 1, _cluster.Row(vm.Vm).Host), (vm.State, vm.Attempts, vm.Destination)));
        Assert.All(vms, vm => Assert.NotEqual("host-a", _cluster.Row(vm).Host));
        Assert.Equal("host-b", _cluster.Row(elsewhere).Host);
        Assert.InRange(result.EvictionMs!.Value, 0, result.TotalMs);
        Assert.True((await HostAsync("host-a")).IsCordoned);
        Assert.Empty(_cluster.World.Violations);
    }

    [Fact]
    public async Task Drain_ParallelIsTwo_NeverMoreMoveAtOnce()
    {
        var vms = Enumerable.Range(0, 6).Select(_ => _cluster.AddVm()).ToList();
        int copying = 0, most = 0;
        foreach (var vm in vms)
        {
            _cluster.World.Script(vm, "StartCopy", async _ =>
            {
                most = Math.Max(most, Interlocked.Increment(ref copying));
                await Task.Delay(50, Token);
                Interlocked.Decrement(ref copying);
                return null;
            });
        }

        await DrainToTheEndAsync(new DrainOptions(Parallel: 2));

        Assert.Equal(2, most);
    }

    [Fact]
    public async Task Drain_NotAllFit_MovesWhatDoesAndNamesTheRest()
    {
        Offer("host-b", 300 << 20);
        Offer("host-c", 200 << 20);
        var vms = new[] { _cluster.AddVm(), _cluster.AddVm() };

        var result = await DrainToTheEndAsync(new DrainOptions());

        Assert.Equal((OperationOutcome.Failed, FabricErrorCode.NoCapacity, null), (result.Outcome, result.ErrorCode, result.EvictionMs));
        Assert.Equal([DrainedVmState.Moved, DrainedVmState.NoRoom], result.Vms.Select(vm => vm.State).Order());
        Assert.Single(vms, vm => _cluster.Row(vm).Host == "host-b");
        Assert.Single(vms, vm => _cluster.Row(vm).Host == "host-a");
    }

    [Fact]
    public async Task Drain_OnlyToOneHost_GoesNowhereElse()
    {
        Offer("host-b", 64L << 30);
        var vms = new[] { _cluster.AddVm(), _cluster.AddVm() };

        await DrainToTheEndAsync(new DrainOptions(To: ["host-c"]));

        Assert.All(vms, vm => Assert.Equal("host-c", _cluster.Row(vm).Host));
    }

    [Fact]
    public async Task Drain_OneDestinationFailsEveryTime_TriesTheOther()
    {
        Offer("host-b", 64L << 30);
        var vm = _cluster.AddVm();
        _cluster.World.Script(vm, "Prepare", static call => call.Where == "host-b"
            ? Task.FromException<object?>(new FabricException(FabricErrorCode.Failed, "its disk is broken"))
            : Task.FromResult<object?>(null));

        var result = await DrainToTheEndAsync(new DrainOptions());

        Assert.Equal((OperationOutcome.Succeeded, 2), (result.Outcome, Assert.Single(result.Vms).Attempts));
        Assert.Equal("host-c", _cluster.Row(vm).Host);
    }

    [Fact]
    public async Task Drain_DestinationDiesWhileCopying_VmsGoToAnother()
    {
        Offer("host-b", 64L << 30);
        var vms = new[] { _cluster.AddVm(), _cluster.AddVm() };
        var gates = vms.Select(vm => Once(vm, "StartCopy")).ToList();
        var drain = await BeginAsync(new DrainOptions());
        foreach (var gate in gates) await gate.Entered;
        Assert.All(vms, vm => Assert.Equal("host-b", Running(vm).Destination));

        await _cluster.Orleans.KillSiloAsync(_cluster.Silo("host-b"), Token);

        var result = await ResultAsync(drain.Id);
        Assert.Equal((OperationOutcome.Succeeded, null), (result.Outcome, result.Reason));
        Assert.All(vms, vm => Assert.Equal("host-c", _cluster.Row(vm).Host));
        Assert.Empty(_cluster.World.Violations);
    }

    [Fact]
    public async Task Drain_ItsOwnSiloDies_IsDrivenOnByAnother()
    {
        var vms = new[] { _cluster.AddVm(), _cluster.AddVm(), _cluster.AddVm() };
        var gate = Once(vms[0], "StartCopy");
        RequestContext.Set(IPlacementDirector.PlacementHintKey, _cluster.Silo("host-b").SiloAddress);
        var drain = await BeginAsync(new DrainOptions(Parallel: 3, To: ["host-c"]));
        RequestContext.Clear();
        await gate.Entered;
        Assert.Equal("host-b", _cluster.WhereIs(_cluster.Drain(drain.Id)));

        await _cluster.Orleans.KillSiloAsync(_cluster.Silo("host-b"), Token);
        gate.Open();

        var result = await ResultAsync(drain.Id);
        Assert.Equal((OperationOutcome.Succeeded, null), (result.Outcome, result.Reason));
        Assert.All(result.Vms, vm => Assert.Equal((DrainedVmState.Moved, 1), (vm.State, vm.Attempts)));
        Assert.All(vms, vm => Assert.Single(_cluster.World.Journal(vm), "db:Begin"));
    }

    [Fact]
    public async Task Cancel_WhileOneCopies_CancelsItAndTheRestStays()
    {
        var vms = new[] { _cluster.AddVm(), _cluster.AddVm() };
        foreach (var vm in vms) _cluster.World.Hold(vm, "StartCopy");
        var drain = await BeginAsync(new DrainOptions(Parallel: 1));
        await Eventually.TrueAsync(() => Task.FromResult(vms.Any(vm => _cluster.World.Journal(vm).Contains("host-a:StartCopy"))), "one copies");

        await _cluster.Drain(drain.Id).CancelAsync(Token);

        var result = await ResultAsync(drain.Id);
        Assert.Equal((OperationOutcome.Cancelled, FabricErrorCode.Cancelled), (result.Outcome, result.ErrorCode));
        Assert.All(result.Vms, vm => Assert.Equal(DrainedVmState.Stayed, vm.State));
        Assert.All(vms, vm => Assert.Equal(["host-a"], _cluster.World.RunningOn(vm)));
        Assert.True((await HostAsync("host-a")).IsCordoned);
        var refusal = await Assert.ThrowsAsync<FabricException>(() => _cluster.Drain(drain.Id).CancelAsync(Token));
        Assert.Equal(FabricErrorCode.Conflict, refusal.Code);
    }

    [Fact]
    public async Task Cancel_AfterACommit_ThatVmArrives()
    {
        var vm = _cluster.AddVm();
        var other = _cluster.AddVm(state: VmState.Stopped);
        var gate = _cluster.World.Hold(vm, "Run");
        var drain = await BeginAsync(new DrainOptions(Parallel: 1));
        await gate.Entered;

        await _cluster.Drain(drain.Id).CancelAsync(Token);
        gate.Open();

        var result = await ResultAsync(drain.Id);
        Assert.Equal(OperationOutcome.Cancelled, result.Outcome);
        Assert.Equal(DrainedVmState.Moved, result.Vms.Single(entry => entry.Vm == vm).State);
        Assert.Equal(DrainedVmState.Stayed, result.Vms.Single(entry => entry.Vm == other).State);
    }

    [Fact]
    public async Task Deadline_PassesWhileOneCopies_CancelsItAndIsATimeout()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Hold(vm, "StartCopy");

        var result = await DrainToTheEndAsync(new DrainOptions(DeadlineMs: 1000));

        Assert.Equal((OperationOutcome.Failed, FabricErrorCode.Timeout), (result.Outcome, result.ErrorCode));
        Assert.Equal(DrainedVmState.Stayed, Assert.Single(result.Vms).State);
        Assert.Equal(["host-a"], _cluster.World.RunningOn(vm));
    }

    [Fact]
    public async Task Drain_AVmIsBeingMigratedByHand_WaitsAndLetsItGo()
    {
        var vm = _cluster.AddVm();
        var gate = _cluster.World.Hold(vm, "StartCopy");
        await _cluster.MigrateAsync(vm, "host-b");
        await gate.Entered;
        var drain = await BeginAsync(new DrainOptions());
        await Eventually.TrueAsync(async () => (await _cluster.Drain(drain.Id).GetAsync(Token)).Vms.Count == 1, "the drain sees it");
        gate.Open();

        var result = await ResultAsync(drain.Id);

        Assert.Equal((OperationOutcome.Succeeded, DrainedVmState.Left), (result.Outcome, Assert.Single(result.Vms).State));
        Assert.Equal("host-b", _cluster.Row(vm).Host);
    }

    [Fact]
    public async Task Drain_AVmIsOnItsWayToTheHost_IsSentOn()
    {
        var vm = _cluster.AddVm("host-b");
        var gate = _cluster.World.Hold(vm, "Switch");
        await _cluster.MigrateAsync(vm, "host-a");
        await gate.Entered;
        var drain = await BeginAsync(new DrainOptions());
        await _cluster.Drain(drain.Id).GetAsync(Token);
        gate.Open();

        var result = await ResultAsync(drain.Id);

        Assert.Equal((OperationOutcome.Succeeded, DrainedVmState.Moved), (result.Outcome, Assert.Single(result.Vms).State));
        Assert.NotEqual("host-a", _cluster.Row(vm).Host);
    }

    [Fact]
    public async Task Drain_AVmArrivesWhileItLooks_IsSentOn()
    {
        var vm = _cluster.AddVm("host-b");
        var gate = _cluster.World.Hold(vm, "Switch");
        var migration = await _cluster.MigrateAsync(vm, "host-a");
        await gate.Entered;
        _cluster.World.Script("host-a", "ListUnfinished", async _ =>
        {
            gate.Open();
            await _cluster.ResultAsync(migration.Id);
            return null;
        });

        var result = await DrainToTheEndAsync(new DrainOptions());

        Assert.Equal((OperationOutcome.Succeeded, DrainedVmState.Moved), (result.Outcome, Assert.Single(result.Vms).State));
        Assert.NotEqual("host-a", _cluster.Row(vm).Host);
    }

    [Fact]
    public async Task Begin_AHundredTimesAtOnce_IsOneDrain()
    {
        var vm = _cluster.AddVm();
        var id = $"op-{Guid.NewGuid():N}"[..20];
        var silos = _cluster.Silos;

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(index =>
            silos[index % silos.Count].Grains.GetGrain<IDrainGrain>(id).BeginAsync(new DrainRequest("host-a", new DrainOptions()), Token)));
        var result = await ResultAsync(id);

        Assert.All(answers, answer => Assert.Equal((id, "drain", "host-a"), (answer.Id, answer.Kind, answer.Source)));
        Assert.Equal(OperationOutcome.Succeeded, result.Outcome);
        Assert.Single(_cluster.World.Journal(vm), "db:Begin");
        var refusal = await Assert.ThrowsAsync<FabricException>(() => _cluster.Drain(id).BeginAsync(new DrainRequest("host-b", new DrainOptions()), Token));
        Assert.Equal(FabricErrorCode.Conflict, refusal.Code);
    }

    [Fact]
    public async Task Begin_WrongHosts_AreRefusedAndNothingIsCordoned()
    {
        Assert.Equal(FabricErrorCode.NotFound, await CodeAsync(new DrainRequest("nope", new DrainOptions())));
        Assert.Equal(FabricErrorCode.NotFound, await CodeAsync(new DrainRequest("host-a", new DrainOptions(To: ["nope"]))));
        Assert.Equal(FabricErrorCode.InvalidArgument, await CodeAsync(new DrainRequest("host-a", new DrainOptions(To: ["host-a"]))));
        Assert.Equal(FabricErrorCode.InvalidArgument, await CodeAsync(new DrainRequest("host-a", new DrainOptions(Parallel: 0))));
        Assert.False((await HostAsync("host-a")).IsCordoned);

        async Task<FabricErrorCode> CodeAsync(DrainRequest request) =>
            (await Assert.ThrowsAsync<FabricException>(() => _cluster.Drain($"op-{Guid.NewGuid():N}"[..20]).BeginAsync(request, Token))).Code;
    }

    [Fact]
    public async Task Cordon_Host_TakesNoVmsAndNoMigrationsUntilItIsOpenAgain()
    {
        var vm = _cluster.AddVm("host-b");
        Assert.True((await _cluster.Catalog.CordonAsync("host-a", isCordoned: true, Token)).IsCordoned);

        Assert.Equal(FabricErrorCode.Conflict, (await Assert.ThrowsAsync<FabricException>(() => _cluster.MigrateAsync(vm, "host-a"))).Code);
        var spec = new VmSpec($"vm-{Guid.NewGuid():N}"[..20], Samples.PackageName);
        var refusal = await Assert.ThrowsAsync<FabricException>(() => _cluster.Vm(spec.Name).RunAsync(spec with { Host = "host-a" }, Token));
        Assert.Equal(FabricErrorCode.Conflict, refusal.Code);
        Assert.NotEqual("host-a", (await _cluster.Vm(spec.Name).RunAsync(spec, Token)).Host);

        Assert.False((await _cluster.Catalog.CordonAsync("host-a", isCordoned: false, Token)).IsCordoned);
        Assert.Equal("host-a", (await _cluster.MigrateToTheEndAsync(vm, "host-a")).RunsOn);
    }

    [Fact]
    public async Task Uncordon_WhileItIsDrained_IsRefused()
    {
        var vm = _cluster.AddVm();
        var gate = _cluster.World.Hold(vm, "StartCopy");
        var drain = await BeginAsync(new DrainOptions());
        await gate.Entered;

        var refusal = await Assert.ThrowsAsync<FabricException>(() => _cluster.Catalog.CordonAsync("host-a", isCordoned: false, Token));

        Assert.Equal(FabricErrorCode.Conflict, refusal.Code);
        Assert.Contains(drain.Id, refusal.Message, StringComparison.Ordinal);
        gate.Open();
        await ResultAsync(drain.Id);
    }

    [Fact]
    public async Task Drain_PostgresIsAwayAtTheCommit_TriesAgainAfterwards()
    {
        var vms = new[] { _cluster.AddVm(), _cluster.AddVm() };
        var gates = vms.Select(vm => Once(vm, "Commit")).ToList();
        var drain = await BeginAsync(new DrainOptions(Parallel: 2));
        foreach (var gate in gates) await gate.Entered;

        _cluster.World.Database.IsDown = true;
        foreach (var gate in gates) gate.Open();
        await Eventually.TrueAsync(
            () => Task.FromResult(vms.All(vm => _cluster.World.Journal(vm).Contains("db:Withdraw"))), "both migrations ask what became of their commits");
        Assert.All(vms, vm => Assert.Empty(_cluster.World.RunningOn(vm)));
        _cluster.World.Database.IsDown = false;

        var result = await ResultAsync(drain.Id);
        Assert.Equal(OperationOutcome.Succeeded, result.Outcome);
        Assert.All(result.Vms, vm => Assert.Equal(2, vm.Attempts));
        Assert.Empty(_cluster.World.Violations);
    }

    [Fact]
    public async Task Watch_WhileItRuns_ReportsGrowAndEndWithOneResult()
    {
        var vm = _cluster.AddVm();
        var gate = _cluster.World.Hold(vm, "StartCopy");
        var drain = await BeginAsync(new DrainOptions());
        await gate.Entered;

        var reports = new List<DrainProgress>();
        await foreach (var report in _cluster.Drain(drain.Id).WatchAsync(0, Token).WithBatchSize(1))
        {
            reports.Add(report);
            gate.Open();
        }

        Assert.Equal(reports.Select(report => report.Sequence).Distinct().Order(), reports.Select(report => report.Sequence));
        Assert.Equal(DrainedVmState.Moving, reports[0].Vms.Single().State);
        Assert.Equal(OperationOutcome.Succeeded, Assert.Single(reports, report => report.Result is not null).Result!.Outcome);
        Assert.NotNull(reports[^1].Result);
    }

    private async Task<OperationInfo> BeginAsync(DrainOptions options) =>
        await _cluster.Drain($"op-{Guid.NewGuid():N}"[..20]).BeginAsync(new DrainRequest("host-a", options), Token);

    private async Task<DrainResult> DrainToTheEndAsync(DrainOptions options) => await ResultAsync((await BeginAsync(options)).Id);

    private async Task<DrainResult> ResultAsync(string operation)
    {
        DrainResult? result = null;
        await Eventually.TrueAsync(
            async () =>
            {
                await LookAsync(operation);
                return (result = await _cluster.Catalog.FindDrainResultAsync(operation, Token)) is not null;
            },
            $"drain '{operation}' ends");
        return result!;
    }

    /// <summary>As a watcher does, or a host's reconciler: whoever asks for a drain that nobody drives has it driven on.</summary>
    private async Task LookAsync(string drain)
    {
        try
        {
            await _cluster.Drain(drain).GetAsync(Token);
        }
        catch (Exception error) when (error is FabricException or OrleansException or TimeoutException)
        {
            // Its silo has just died, or Postgres is away: the next look finds another.
        }
    }

    /// <summary>Holds the first call only: the next attempt goes its way.</summary>
    private Gate Once(string vm, string method)
    {
        var gate = new Gate();
        _cluster.World.Script(vm, method, async call =>
        {
            if (call.Attempt == 1) await gate.PassAsync(call.Cancelled);
            return null;
        });
        return gate;
    }

    private OperationInfo Running(string vm) => _cluster.World.Database.Do(tables =>
        tables.Operations.Values.Single(known => known.Info.Vm == vm && known.Info.Outcome == OperationOutcome.Running).Info);

    private async Task<HostInfo> HostAsync(string name) => (await _cluster.Catalog.ListHostsAsync(Token)).Single(host => host.Name == name);

    private void Offer(string host, long memoryBytes) =>
        _cluster.World.Database.Do(tables => tables.Hosts[host] = tables.Hosts[host] with { MemoryBytes = memoryBytes });
}
