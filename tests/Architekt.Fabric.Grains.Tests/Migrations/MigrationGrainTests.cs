using Architekt.Fabric.Grains.Tests.Fakes;

namespace Architekt.Fabric.Grains.Tests.Migrations;

public sealed class MigrationGrainTests(SharedCluster shared)
{
    private static readonly string[] Looks = ["host-a:GetTransfer", "host-b:LookLoaded", "host-b:WaitLoaded", "host-a:SwitchReport", "host-b:ConfirmLoaded"];

    private readonly FabricCluster _cluster = shared.Cluster;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Migrate_NothingFails_DoesEachActAfterItsPhaseIsRecorded()
    {
        var vm = _cluster.AddVm();

        await _cluster.MigrateToTheEndAsync(vm);

        var journal = _cluster.World.Journal(vm).Where(entry => !Looks.Contains(entry)).ToList();
        Assert.Equal(["db:Begin", "db:Phase Check", "host-a:CheckSource", "host-b:CheckDestination"], [.. journal[..2], .. journal[2..4].Order()]);
        Assert.Equal(
            [
                "db:Phase Prepare", "host-a:FindBases", "host-b:Prepare",
                "db:Phase Copy", "host-a:StartCopy",
                "db:Phase Suspend", "host-a:Suspend",
                "db:Phase Switch", "host-a:Switch",
                "db:Commit", "host-b:Run", "host-a:Release", "db:End",
            ],
            journal[4..]);
        Assert.Empty(_cluster.World.Violations);
    }

    [Fact]
    public async Task Migrate_NothingFails_MovesOwnerEpochAndGrain()
    {
        var vm = _cluster.AddVm();
        Assert.Equal("host-a", await _cluster.Vm(vm).WhereAsync(Token));

        await _cluster.MigrateToTheEndAsync(vm);

        var row = _cluster.Row(vm);
        Assert.Equal(("host-b", 2L, null), (row.Host, row.Epoch, row.Operation));
        Assert.Equal(["host-b"], _cluster.World.RunningOn(vm));
        await Eventually.TrueAsync(() => Task.FromResult(_cluster.WhereIs(_cluster.Vm(vm)) == "host-b"), "the VM's grain is on the destination");
        foreach (var (_, grains) in _cluster.Silos) Assert.Equal("host-b", await grains.GetGrain<IVmGrain>(vm).WhereAsync(Token));
    }

    [Fact]
    public async Task Migrate_NothingFails_ResultHasWhatWasMeasured()
    {
        var vm = _cluster.AddVm();

        var result = await _cluster.MigrateToTheEndAsync(vm, options: new MigrationOptions(Verify: true));

        Assert.Equal(
            (vm, "host-a", "host-b", "host-b", 2L, OperationOutcome.Succeeded),
            (result.Vm, result.From, result.To, result.RunsOn, result.Epoch, result.Outcome));
        Assert.Equal((null, null, null), (result.FailedPhase, result.ErrorCode, result.Reason));
        Assert.True(result.Verified);
        Assert.Equal(5 + 0.5 + 3, result.PauseMs);
        Assert.Equal((5, 1, 0.5, 2, 2, 1, 7), (result.Pause!.SourceMs, result.Pause.LastRoundMs, result.Pause.DiskMs, result.Pause.StateMs, result.Pause.LoadMs, result.Pause.RunMs, result.Pause.FramesCarried));
        Assert.Equal(3, result.Transfer.Rounds);
        Assert.Equal(
            [MigrationPhase.Check, MigrationPhase.Prepare, MigrationPhase.Copy, MigrationPhase.Suspend, MigrationPhase.Switch, MigrationPhase.Commit, MigrationPhase.Run, MigrationPhase.Clean],
            result.PhaseMs.Keys.Order());
        Assert.InRange(result.TotalMs, result.PhaseMs.Values.Max(), 60_000);
    }

    [Fact]
    public async Task Migrate_ThereAndBack_GrowsTheEpochEachTime()
    {
        var vm = _cluster.AddVm();

        Assert.Equal(("host-b", 2L), await EndAsync("host-b"));
        Assert.Equal(("host-c", 3L), await EndAsync("host-c"));
        Assert.Equal(("host-a", 4L), await EndAsync("host-a"));
        Assert.Empty(_cluster.World.Violations);

        async Task<(string, long)> EndAsync(string destination)
        {
            var result = await _cluster.MigrateToTheEndAsync(vm, destination);
            return (result.RunsOn, result.Epoch);
        }
    }

    [Fact]
    public async Task Watch_WhileItRuns_ReportsGrowAndEndWithOneResult()
    {
        var vm = _cluster.AddVm();
        var gate = _cluster.World.Hold(vm, "StartCopy");
        var operation = await _cluster.MigrateAsync(vm);
        await gate.Entered;

        TaskCompletionSource[] begun = [new(), new()];
        var watching = begun.Select(first => WatchAsync(operation.Id, first)).ToList();
        await Task.WhenAll(begun.Select(first => first.Task)).WaitAsync(Token);
        gate.Open();

        foreach (var reports in await Task.WhenAll(watching))
        {
            Assert.Equal(reports.Select(report => report.Sequence).Distinct().Order(), reports.Select(report => report.Sequence));
            Assert.Equal(MigrationPhase.Copy, reports[0].Phase);
            Assert.Equal(OperationOutcome.Succeeded, Assert.Single(reports, report => report.Result is not null).Result!.Outcome);
            Assert.NotNull(reports[^1].Result);
        }
    }

    [Fact]
    public async Task Watch_AfterTheEnd_GivesTheResultOnce()
    {
        var vm = _cluster.AddVm();
        var result = await _cluster.MigrateToTheEndAsync(vm);
        await Eventually.TrueAsync(async () => (await _cluster.Migration(result.Operation).GetAsync(Token)).Result is not null, "the grain tells the end");

        var report = Assert.Single(await WatchAsync(result.Operation));

        Assert.Equal(result.Outcome, report.Result!.Outcome);
        await _cluster.Orleans.DeactivateAsync(_cluster.Migration(result.Operation));
        Assert.Equal("host-b", Assert.Single(await WatchAsync(result.Operation)).Result!.RunsOn);
    }

    [Fact]
    public async Task Watch_WatcherGivesUp_MigrationGoesOn()
    {
        var vm = _cluster.AddVm();
        var gate = _cluster.World.Hold(vm, "StartCopy");
        var operation = await _cluster.MigrateAsync(vm);
        await gate.Entered;
        using var detached = new CancellationTokenSource();
        await using (var watching = _cluster.Migration(operation.Id).WatchAsync(0, detached.Token).GetAsyncEnumerator(detached.Token))
        {
            Assert.True(await watching.MoveNextAsync());
            await detached.CancelAsync();
        }

        gate.Open();

        Assert.Equal(OperationOutcome.Succeeded, (await _cluster.ResultAsync(operation.Id)).Outcome);
    }

    [Fact]
    public async Task Watch_UnknownOperation_IsNotFound()
    {
        var error = await Assert.ThrowsAsync<FabricException>(() => WatchAsync("no-such-operation"));

        Assert.Equal(FabricErrorCode.NotFound, error.Code);
    }

    [Fact]
    public async Task Migrate_SameOperationAHundredTimesAtOnce_IsOneMigrationWithOneAnswer()
    {
        var vm = _cluster.AddVm();
        var operation = $"op-{Guid.NewGuid():N}";
        var silos = _cluster.Silos;

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(index => silos[index % silos.Count].Grains.GetGrain<IVmGrain>(vm)
            .MigrateAsync(new MigrationRequest(operation, "host-b", new MigrationOptions()), Token)));
        await _cluster.ResultAsync(operation);

        Assert.All(answers, answer => Assert.Equal((operation, vm, "host-a", "host-b", 2L), (answer.Id, answer.Vm, answer.Source, answer.Destination, answer.Epoch)));
        var journal = _cluster.World.Journal(vm);
        foreach (var once in new[] { "db:Begin", "host-b:Prepare", "host-a:StartCopy", "host-a:Switch", "db:Commit", "host-b:Run", "host-a:Release", "db:End" })
            Assert.Single(journal, once);
    }

    [Fact]
    public async Task Migrate_OperationHasEnded_AnswersWithItAndDoesNothing()
    {
        var vm = _cluster.AddVm();
        var result = await _cluster.MigrateToTheEndAsync(vm);
        var before = _cluster.World.Journal(vm).Count;

        var again = await _cluster.MigrateAsync(vm, "host-b", operation: result.Operation);

        Assert.Equal(OperationOutcome.Succeeded, again.Outcome);
        Assert.Equal(before, _cluster.World.Journal(vm).Count);
    }

    [Fact]
    public async Task Migrate_OneIsUnderWay_ConflictNamesIt()
    {
        var vm = _cluster.AddVm();
        var gate = _cluster.World.Hold(vm, "StartCopy");
        var running = await _cluster.MigrateAsync(vm);
        await gate.Entered;

        var error = await Assert.ThrowsAsync<FabricException>(() => _cluster.MigrateAsync(vm, "host-c"));

        Assert.Equal(FabricErrorCode.Conflict, error.Code);
        Assert.Contains(running.Id, error.Message, StringComparison.Ordinal);
        gate.Open();
        Assert.Equal("host-b", (await _cluster.ResultAsync(running.Id)).RunsOn);
    }

    [Fact]
    public async Task Migrate_OperationOfAnotherVm_Conflict()
    {
        var result = await _cluster.MigrateToTheEndAsync(_cluster.AddVm());

        var error = await Assert.ThrowsAsync<FabricException>(() => _cluster.MigrateAsync(_cluster.AddVm(), operation: result.Operation));

        Assert.Equal(FabricErrorCode.Conflict, error.Code);
        Assert.Contains(result.Vm, error.Message, StringComparison.Ordinal);
    }

    private async Task<List<MigrationProgress>> WatchAsync(string operation, TaskCompletionSource? begun = null)
    {
        var reports = new List<MigrationProgress>();
        await foreach (var report in _cluster.Migration(operation).WatchAsync(0, Token).WithBatchSize(1))
        {
            reports.Add(report);
            begun?.TrySetResult();
        }

        return reports;
    }
}
