using Architekt.Fabric.Grains.Tests.Fakes;

namespace Architekt.Fabric.Grains.Tests.Checkpoints;

/// <summary>Nobody waits for these packages: whoever asked for them is gone as soon as they are accepted.</summary>
public sealed class PackageMakingTests(SharedCluster shared)
{
    private readonly FabricCluster _cluster = shared.Cluster;
    private readonly string _vm = $"making-{Guid.NewGuid():N}"[..20];
    private readonly string _operation = $"op-{Guid.NewGuid():N}";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task MakePackage_GuestComesUp_IsMadeAndNothingIsLeft()
    {
        await MakeAsync();
        await Eventually.TrueAsync(async () => await StateAsync() == VmState.Booting, "the VM boots");
        SetState(VmState.Running);

        var result = await EndAsync();

        Assert.Equal((OperationOutcome.Succeeded, "host-b", "warm"), (result.Outcome, result.Host, result.Package?.Name));
        Assert.Equal(["host-b:Start Boot", "host-b:Checkpoint", "host-b:Remove"], Acts());
        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task MakePackage_FromAPackageWithMemory_NeedsNobodyToSayThatItIsUp()
    {
        await MakeAsync(package: Samples.WarmName);

        Assert.Equal(OperationOutcome.Succeeded, (await EndAsync()).Outcome);
        Assert.Equal(["host-b:Start Resume", "host-b:Checkpoint", "host-b:Remove"], Acts());
        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task MakePackage_GuestNeverSaysThatItIsUp_TimesOutWithItsConsoleAndNothingIsLeft()
    {
        await MakeAsync(timeoutMs: 1000);

        var result = await EndAsync();

        Assert.Equal((OperationOutcome.Failed, FabricErrorCode.Timeout), (result.Outcome, result.ErrorCode));
        Assert.Contains("did not say within 1 seconds", result.Reason, StringComparison.Ordinal);
        Assert.EndsWith("Its console ended with: booted", result.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain("host-b:Checkpoint", Acts());
        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task MakePackage_GuestEndsBeforeItIsUp_FailsAtOnceAndNothingIsLeft()
    {
        await MakeAsync(timeoutMs: 600_000);
        await Eventually.TrueAsync(async () => await StateAsync() == VmState.Booting, "the VM boots");
        SetState(VmState.Failed);

        var result = await EndAsync();

        Assert.Equal((OperationOutcome.Failed, FabricErrorCode.Failed), (result.Outcome, result.ErrorCode));
        Assert.Contains("ended before it was up", result.Reason, StringComparison.Ordinal);
        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task MakePackage_ItCannotBeStarted_FailsWithTheReasonAndNothingIsLeft()
    {
        _cluster.World.Throw(_vm, "Start Boot", new FabricException(FabricErrorCode.NoCapacity, "no room"));
        await MakeAsync();

        var result = await EndAsync();

        Assert.Equal((FabricErrorCode.NoCapacity, "no room"), (result.ErrorCode, result.Reason));
        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task Cancel_WhileItBoots_NothingIsLeft()
    {
        await MakeAsync();
        await Eventually.TrueAsync(async () => await StateAsync() == VmState.Booting, "the VM boots");

        await _cluster.Client.GetGrain<ICheckpointGrain>(_operation).CancelAsync(Token);

        Assert.Equal(OperationOutcome.Cancelled, (await EndAsync()).Outcome);
        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task MakePackage_AskedTwice_IsTheSame()
    {
        await MakeAsync();
        await MakeAsync();
        await Eventually.TrueAsync(async () => await StateAsync() == VmState.Booting, "the VM boots");
        SetState(VmState.Running);

        Assert.Equal(OperationOutcome.Succeeded, (await EndAsync()).Outcome);
        Assert.Single(Acts(), static act => act == "host-b:Start Boot");
        await MakeAsync();
        Assert.Single(Acts(), static act => act == "host-b:Start Boot");
    }

    [Theory]
    [InlineData(MigrationPhase.Prepare)]
    [InlineData(MigrationPhase.Copy)]
    public async Task Start_RecordedByASiloThatEndedInTheMiddle_FailsItAndNothingIsLeft(MigrationPhase phase)
    {
        _cluster.World.Runs(_vm, "host-b", runs: true);
        _cluster.World.Database.Do(tables =>
        {
            tables.Vms[_vm] = Samples.Vm(_vm, "host-b", VmState.Booting);
            tables.Change(_vm, info => info with { Operation = _operation });
            var info = new OperationInfo(_operation, OperationKinds.Checkpoint, _vm, "host-b", "host-b", 1, phase, OperationOutcome.Running, null, DateTimeOffset.UtcNow, null);
            tables.Operations.Add(_operation, (null!, info, null));
            var plan = new CheckpointPlan(
                _operation, _vm, "host-b", 1, Samples.Machine, "warm", false, DateTimeOffset.UtcNow, new TemporaryStart(new VmStart(StartKind.Boot), 60_000));
            tables.Checkpoints.Add(_operation, (plan, null));
            return true;
        });

        // As the host's reconciler does.
        await _cluster.Client.GetGrain<ICheckpointGrain>(_operation).StartAsync(Token);

        Assert.Equal(OperationOutcome.Failed, (await EndAsync()).Outcome);
        Assert.Equal(["host-b:Remove"], Acts());
        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task MakePackage_NameIsTaken_AlreadyExistsBeforeAnythingIsDone()
    {
        var error = await Assert.ThrowsAsync<FabricException>(() => MakeAsync(name: Samples.WarmName));

        Assert.Equal(FabricErrorCode.AlreadyExists, error.Code);
        Assert.Empty(Acts());
        Assert.Null(await StateAsync());
    }

    [Fact]
    public async Task Run_NameOfAVmThatPackagesAreMadeOf_IsRefused()
    {
        var error = await Assert.ThrowsAsync<FabricException>(
            () => _cluster.Vm(_vm).RunAsync(new VmSpec(_vm, Samples.PackageName, "host-b", HasNetwork: false), Token));

        Assert.Equal(FabricErrorCode.InvalidArgument, error.Code);
        Assert.Null(await StateAsync());
    }

    private Task<OperationInfo> MakeAsync(string package = Samples.PackageName, string name = "warm", int timeoutMs = 60_000) => _cluster.Vm(_vm).MakePackageAsync(
        new PackageMaking(_operation, name, new VmSpec(_vm, package, "host-b", HasNetwork: false), timeoutMs), Token);

    /// <summary>As a host's supervisor records what the guest says.</summary>
    private void SetState(VmState state) => _cluster.World.Database.Do(tables =>
    {
        tables.Change(_vm, info => info with { State = state });
        return true;
    });

    private async Task<VmState?> StateAsync() => (await _cluster.Catalog.FindVmAsync(_vm, Token))?.State;

    private IReadOnlyList<string> Acts() =>
        [.. _cluster.World.Journal(_vm).Where(static act => act.StartsWith("host-", StringComparison.Ordinal) && !act.EndsWith("Describe", StringComparison.Ordinal) && !act.EndsWith("ReadLog", StringComparison.Ordinal))];

    private async Task<CheckpointResult> EndAsync()
    {
        CheckpointResult? result = null;
        await Eventually.TrueAsync(
            async () => (result = await _cluster.Catalog.FindCheckpointResultAsync(_operation, Token)) is not null, "the making ends");
        return result!;
    }

    private async Task AssertNothingIsLeftAsync()
    {
        await Eventually.TrueAsync(async () => await StateAsync() is null, "the VM is forgotten");
        Assert.Empty(_cluster.World.RunningOn(_vm));
    }
}
