using Architekt.Fabric.Grains.Tests.Fakes;

namespace Architekt.Fabric.Grains.Tests.Checkpoints;

public sealed class CheckpointGrainTests(SharedCluster shared)
{
    private readonly FabricCluster _cluster = shared.Cluster;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Checkpoint_RunningVm_IsMadeOnItsHostAndRecorded()
    {
        var vm = _cluster.AddVm("host-b");

        var operation = await StartAsync(vm);
        var result = await EndAsync(operation);

        Assert.Equal((OperationOutcome.Succeeded, "host-b", "warm", 12.5), (result.Outcome, result.Host, result.Package!.Name, result.PauseMs));
        Assert.Contains("host-b:Checkpoint", _cluster.World.Journal(vm));
        var recorded = await _cluster.Catalog.FindOperationAsync(operation, Token);
        Assert.Equal((OperationKinds.Checkpoint, OperationOutcome.Succeeded), (recorded!.Kind, recorded.Outcome));
        Assert.Equal(result.Package, (await _cluster.Catalog.FindCheckpointResultAsync(operation, Token))!.Package);
        Assert.Null(_cluster.Row(vm).Operation);
    }

    [Fact]
    public async Task Checkpoint_UnderWay_KeepsOtherOperationsOffAndSaysWhy()
    {
        var vm = _cluster.AddVm();
        var gate = _cluster.World.Hold(vm, "Checkpoint");
        var operation = await StartAsync(vm);
        await gate.Entered;

        foreach (var act in new Func<Task>[]
        {
            () => _cluster.MigrateAsync(vm),
            () => _cluster.Vm(vm).StopAsync(force: true, Token),
            () => _cluster.Vm(vm).DeleteAsync(force: true, Token),
            () => StartAsync(vm, operation: "another-checkpoint"),
        })
        {
            Assert.Equal(FabricErrorCode.Conflict, (await Assert.ThrowsAsync<FabricException>(act)).Code);
        }

        // Asking twice is the same checkpoint.
        Assert.Equal(operation, await StartAsync(vm, operation: operation));
        gate.Open();
        Assert.Equal(OperationOutcome.Succeeded, (await EndAsync(operation)).Outcome);
        Assert.Single(_cluster.World.Journal(vm), static entry => entry == "host-a:Checkpoint");
    }

    [Fact]
    public async Task Checkpoint_HostRefuses_FailsWithItsReasonAndTheVmIsFree()
    {
        var vm = _cluster.AddVm();
        _cluster.World.Throw(vm, "Checkpoint", new FabricException(FabricErrorCode.Refused, "the agent said no"));

        var result = await EndAsync(await StartAsync(vm));

        Assert.Equal((OperationOutcome.Failed, FabricErrorCode.Refused, "the agent said no"), (result.Outcome, result.ErrorCode, result.Reason));
        Assert.Null(result.Package);
        Assert.Null(_cluster.Row(vm).Operation);
        Assert.Equal(["host-a"], _cluster.World.RunningOn(vm));
    }

    [Fact]
    public async Task Cancel_UnderWay_EndsItAsCancelled_AfterwardsIsAConflict()
    {
        var vm = _cluster.AddVm();
        var gate = _cluster.World.Hold(vm, "Checkpoint");
        var operation = await StartAsync(vm);
        await gate.Entered;
        var checkpoint = _cluster.Client.GetGrain<ICheckpointGrain>(operation);

        await checkpoint.CancelAsync(Token);

        Assert.Equal(OperationOutcome.Cancelled, (await EndAsync(operation)).Outcome);
        Assert.Equal(FabricErrorCode.Conflict, (await Assert.ThrowsAsync<FabricException>(() => checkpoint.CancelAsync(Token))).Code);
    }

    [Fact]
    public async Task Start_RecordedByASiloThatEndedInTheMiddle_FailsItWithoutTouchingTheVm()
    {
        var vm = _cluster.AddVm();
        var operation = $"op-{Guid.NewGuid():N}";
        _cluster.World.Database.Do(tables =>
        {
            var info = new OperationInfo(operation, OperationKinds.Checkpoint, vm, "host-a", "host-a", 1, MigrationPhase.Copy, OperationOutcome.Running, null, DateTimeOffset.UtcNow, null);
            tables.Operations.Add(operation, (null!, info, null));
            tables.Checkpoints.Add(operation, (new CheckpointPlan(operation, vm, "host-a", 1, Samples.Machine, "warm", true, DateTimeOffset.UtcNow), null));
            return true;
        });

        await _cluster.Client.GetGrain<ICheckpointGrain>(operation).StartAsync(Token);

        var result = await EndAsync(operation);
        Assert.Equal(OperationOutcome.Failed, result.Outcome);
        Assert.Contains("ended in the middle", result.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain("host-a:Checkpoint", _cluster.World.Journal(vm));
    }

    [Theory]
    [InlineData(VmState.Stopped)]
    [InlineData(VmState.Booting)]
    public async Task Checkpoint_VmThatIsNotUp_IsAConflict(VmState state)
    {
        var vm = _cluster.AddVm(state: state);

        Assert.Equal(FabricErrorCode.Conflict, (await Assert.ThrowsAsync<FabricException>(() => StartAsync(vm))).Code);
    }

    [Fact]
    public async Task Checkpoint_NameThatIsTaken_AlreadyExistsBeforeAnythingIsDone()
    {
        var vm = _cluster.AddVm();

        var error = await Assert.ThrowsAsync<FabricException>(() => StartAsync(vm, Samples.WarmName));

        Assert.Equal(FabricErrorCode.AlreadyExists, error.Code);
        Assert.Empty(_cluster.World.Journal(vm));
    }

    private async Task<string> StartAsync(string vm, string package = "warm", string? operation = null) => (await _cluster.Vm(vm).CheckpointAsync(
        new CheckpointRequest(operation ?? $"op-{Guid.NewGuid():N}", package, KeepRunning: true), Token)).Id;

    private async Task<CheckpointResult> EndAsync(string operation)
    {
        CheckpointResult? result = null;
        await Eventually.TrueAsync(
            async () => (result = await _cluster.Client.GetGrain<ICheckpointGrain>(operation).WaitAsync(1000, Token)) is not null, "the checkpoint ends");
        return result!;
    }
}
