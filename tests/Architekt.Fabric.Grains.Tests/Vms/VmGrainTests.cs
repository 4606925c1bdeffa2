using Architekt.Fabric.Grains.Tests.Fakes;

namespace Architekt.Fabric.Grains.Tests.Vms;

public sealed class VmGrainTests(SharedCluster shared)
{
    private readonly FabricCluster _cluster = shared.Cluster;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_OnAHost_StartsItThereAndTheGrainFollows()
    {
        var vm = NewName();

        var info = await _cluster.Vm(vm).RunAsync(Spec(vm, "host-c"), Token);

        Assert.Equal((VmState.Booting, "host-c", 1L), (info.State, info.Host, info.Epoch));
        Assert.Equal(["host-c"], _cluster.World.RunningOn(vm));
        await Eventually.TrueAsync(async () => await _cluster.Vm(vm).WhereAsync(Token) == "host-c", "the grain is on the owner");
    }

    [Fact]
    public async Task Run_NoHostNamed_StartsOnOneThatHasThePackage()
    {
        var vm = NewName();

        var info = await _cluster.Vm(vm).RunAsync(Spec(vm, host: null), Token);

        Assert.Equal([info.Host], _cluster.World.RunningOn(vm));
    }

    [Fact]
    public async Task Run_NameTaken_AlreadyExistsAndNothingStarted()
    {
        var vm = _cluster.AddVm();

        var error = await FailsAsync(FabricErrorCode.AlreadyExists, () => _cluster.Vm(vm).RunAsync(Spec(vm, "host-b"), Token));

        Assert.Contains(vm, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("host-b:Start Boot", _cluster.World.Journal(vm));
    }

    [Theory]
    [InlineData("host-a")]
    [InlineData("host-b")]
    public async Task Run_HostHasNoRoom_PassesThroughAndTheNameIsFreeAgain(string host)
    {
        var vm = NewName();
        _cluster.World.Throw(vm, "Start Boot", new FabricException(FabricErrorCode.NoCapacity, "4 GiB are missing"), times: 1);

        var error = await FailsAsync(FabricErrorCode.NoCapacity, () => _cluster.Vm(vm).RunAsync(Spec(vm, host), Token));

        Assert.Equal("4 GiB are missing", error.Message);
        Assert.Null(await _cluster.Catalog.FindVmAsync(vm, Token));
        Assert.Equal(host, (await _cluster.Vm(vm).RunAsync(Spec(vm, host), Token)).Host);
    }

    [Fact]
    public async Task Run_HostVanishesInTheMiddle_KeepsTheRowBecauseItMayRun()
    {
        var vm = NewName();
        _cluster.World.Throw(vm, "Start Boot", FabricException.Unavailable("the host does not answer"));

        await FailsAsync(FabricErrorCode.Unavailable, () => _cluster.Vm(vm).RunAsync(Spec(vm, "host-b"), Token));

        Assert.Equal((VmState.Starting, "host-b"), (_cluster.Row(vm).State, _cluster.Row(vm).Host));
    }

    [Fact]
    public async Task Run_UnknownPackage_NotFound()
    {
        var vm = NewName();

        await FailsAsync(FabricErrorCode.NotFound, () => _cluster.Vm(vm).RunAsync(new VmSpec(vm, "no-such-package"), Token));
        await FailsAsync(FabricErrorCode.NotFound, () => _cluster.Vm(vm).RunAsync(new VmSpec(vm, "no-such-package", "host-b"), Token));
    }

    [Fact]
    public async Task Run_UnknownHost_NotFoundAndNamesTheKnown()
    {
        var vm = NewName();

        var error = await FailsAsync(FabricErrorCode.NotFound, () => _cluster.Vm(vm).RunAsync(Spec(vm, "host-x"), Token));

        Assert.Contains("host-a, host-b, host-c", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Upper")]
    [InlineData("-x")]
    [InlineData("a b")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task Run_NotAName_InvalidArgument(string name) =>
        await FailsAsync(FabricErrorCode.InvalidArgument, () => _cluster.Vm(name).RunAsync(Spec(name, "host-a"), Token));

    [Fact]
    public async Task Run_SpecificationOfAnother_InvalidArgument() =>
        await FailsAsync(FabricErrorCode.InvalidArgument, () => _cluster.Vm(NewName()).RunAsync(Spec("another", "host-a"), Token));

    [Fact]
    public async Task AnyCommand_UnknownVm_NotFound()
    {
        var vm = _cluster.Vm(NewName());

        await FailsAsync(FabricErrorCode.NotFound, () => vm.GetAsync(Token));
        await FailsAsync(FabricErrorCode.NotFound, () => vm.StopAsync(force: false, Token));
        await FailsAsync(FabricErrorCode.NotFound, () => vm.DeleteAsync(force: true, Token));
        await FailsAsync(FabricErrorCode.NotFound, () => vm.ReadLogAsync(0, 0, Token));
        await FailsAsync(FabricErrorCode.NotFound, () => vm.MigrateAsync(new MigrationRequest("op", "host-b", new MigrationOptions()), Token));
    }

    [Fact]
    public async Task Migrate_ToWhereItIs_Conflict() =>
        await FailsAsync(FabricErrorCode.Conflict, () => _cluster.MigrateAsync(_cluster.AddVm(), "host-a"));

    [Fact]
    public async Task Migrate_Stopping_Conflict() =>
        await FailsAsync(FabricErrorCode.Conflict, () => _cluster.MigrateAsync(_cluster.AddVm(state: VmState.Stopping)));

    [Fact]
    public async Task Migrate_UnknownHost_NotFound() =>
        await FailsAsync(FabricErrorCode.NotFound, () => _cluster.MigrateAsync(_cluster.AddVm(), "host-x"));

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task Migrate_NotAnOperationId_InvalidArgument(string operation) =>
        await FailsAsync(FabricErrorCode.InvalidArgument, () => _cluster.MigrateAsync(_cluster.AddVm(), operation: operation));

    [Fact]
    public async Task Migrate_OptionOutOfRange_InvalidArgumentAndNothingRecorded()
    {
        var vm = _cluster.AddVm();
        MigrationOptions[] wrong =
        [
            new(PauseBudgetMs: 0), new(MaxRounds: 0), new(TimeoutMs: 999), new(Connections: 17), new(BandwidthBytesPerSecond: 1),
        ];

        foreach (var options in wrong) await FailsAsync(FabricErrorCode.InvalidArgument, () => _cluster.MigrateAsync(vm, options: options));
        Assert.Empty(_cluster.World.Journal(vm));
    }

    [Fact]
    public async Task StopAndDelete_DuringAMigration_ConflictAndTheGuestIsNotTouched()
    {
        var vm = _cluster.AddVm();
        var gate = _cluster.World.Hold(vm, "StartCopy");
        var operation = await _cluster.MigrateAsync(vm);
        await gate.Entered;

        var error = await FailsAsync(FabricErrorCode.Conflict, () => _cluster.Vm(vm).StopAsync(force: true, Token));
        await FailsAsync(FabricErrorCode.Conflict, () => _cluster.Vm(vm).DeleteAsync(force: true, Token));

        Assert.Contains(operation.Id, error.Message, StringComparison.Ordinal);
        gate.Open();
        Assert.Equal(OperationOutcome.Succeeded, (await _cluster.ResultAsync(operation.Id)).Outcome);
        Assert.DoesNotContain(_cluster.World.Journal(vm), entry => entry.EndsWith(":Stop", StringComparison.Ordinal) || entry.EndsWith(":Remove", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Delete_CommittedButNotYetRunning_ConflictAndTheGuestIsNotTouched()
    {
        var vm = _cluster.AddVm();
        var gate = _cluster.World.Hold(vm, "Run");
        var operation = await _cluster.MigrateAsync(vm);
        await gate.Entered;

        await FailsAsync(FabricErrorCode.Conflict, () => _cluster.Vm(vm).DeleteAsync(force: true, Token));
        await FailsAsync(FabricErrorCode.Conflict, () => _cluster.Vm(vm).StopAsync(force: true, Token));

        gate.Open();
        await _cluster.ResultAsync(operation.Id);
        Assert.DoesNotContain("host-b:Remove", _cluster.World.Journal(vm));
        Assert.Equal(["host-b"], _cluster.World.RunningOn(vm));
    }

    [Fact]
    public async Task Delete_Running_ConflictUnlessForced()
    {
        var vm = _cluster.AddVm("host-b");
        await FailsAsync(FabricErrorCode.Conflict, () => _cluster.Vm(vm).DeleteAsync(force: false, Token));

        await _cluster.Vm(vm).DeleteAsync(force: true, Token);

        Assert.Equal(["host-b:Stop", "host-b:Remove"], _cluster.World.Journal(vm));
        Assert.Null(await _cluster.Catalog.FindVmAsync(vm, Token));
    }

    [Fact]
    public async Task Get_WhileSomebodyFollowsTheLog_IsNotHeldUp()
    {
        var vm = _cluster.AddVm("host-b");
        var gate = _cluster.World.Hold(vm, "ReadLog");
        var following = _cluster.Vm(vm).ReadLogAsync(0, 10_000, Token);
        await gate.Entered;

        var info = await _cluster.Vm(vm).GetAsync(Token).WaitAsync(TimeSpan.FromSeconds(5), Token);
        await _cluster.Vm(vm).StopAsync(force: true, Token).WaitAsync(TimeSpan.FromSeconds(5), Token);

        Assert.Equal(vm, info.Name);
        Assert.False(following.IsCompleted);
        gate.Open();
        await following;
    }

    [Fact]
    public async Task AnyCommand_PostgresDown_UnavailableAndTheGuestIsNotTouched()
    {
        var (active, other) = (_cluster.AddVm(), _cluster.AddVm("host-b"));
        await _cluster.Vm(active).WhereAsync(Token);
        _cluster.World.Database.IsDown = true;
        try
        {
            foreach (var vm in new[] { active, other })
            {
                await FailsAsync(FabricErrorCode.Unavailable, () => _cluster.Vm(vm).GetAsync(Token));
                await FailsAsync(FabricErrorCode.Unavailable, () => _cluster.Vm(vm).StopAsync(force: true, Token));
                await FailsAsync(FabricErrorCode.Unavailable, () => _cluster.Vm(vm).DeleteAsync(force: true, Token));
                await FailsAsync(FabricErrorCode.Unavailable, () => _cluster.MigrateAsync(vm, "host-c"));
            }

            await FailsAsync(FabricErrorCode.Unavailable, () => _cluster.Catalog.ListVmsAsync(Token));
        }
        finally
        {
            _cluster.World.Database.IsDown = false;
        }

        Assert.Empty(_cluster.World.Journal(active));
        Assert.Empty(_cluster.World.Journal(other));
        Assert.Equal("host-a", (await _cluster.Vm(active).GetAsync(Token)).Host);
    }

    private static string NewName() => $"new-{Guid.NewGuid():N}"[..20];

    private static VmSpec Spec(string vm, string? host) => new(vm, Samples.PackageName, host);

    private static async Task<FabricException> FailsAsync(FabricErrorCode code, Func<Task> act)
    {
        var error = await Assert.ThrowsAsync<FabricException>(act);
        Assert.Equal((code, code == FabricErrorCode.Unavailable), (error.Code, error.IsTransient));
        return error;
    }
}
