using Architekt.Fabric.Testing;

namespace Architekt.Fabric.Database.Tests;

public sealed class VmStoreTests(PostgresDatabase database) : StoreTest(database), IClassFixture<PostgresDatabase>
{
    [Fact]
    public async Task Create_NewName_IsFoundAsItWas()
    {
        var vm = Vm(Unique("vm"));
        await Vms.CreateAsync(vm, Cancellation);
        Assert.Equal(vm, await Vms.FindAsync(vm.Info.Name, Cancellation));
        var recorded = Assert.Single(Sink.Events);
        Assert.Equal((EventKinds.VmCreated, vm.Info.Name, "host-a", 1L), (recorded.Kind, recorded.Vm, recorded.Host, recorded.Epoch));
        Assert.Equal(1L, await ScalarAsync<long>($"SELECT count(*) FROM fabric.ownership_history WHERE vm = '{vm.Info.Name}' AND host = 'host-a' AND epoch = 1"));
    }

    [Fact]
    public async Task Create_TakenName_ThrowsAlreadyExistsAndChangesNothing()
    {
        var name = await CreateVmAsync();
        var thrown = await ThrowsAsync(FabricErrorCode.AlreadyExists, () => Vms.CreateAsync(Vm(name, "host-b"), Cancellation));
        Assert.Contains(name, thrown.Message, StringComparison.Ordinal);
        Assert.Equal("host-a", (await Vms.FindAsync(name, Cancellation))!.Info.Host);
        Assert.Single(Sink.Events);
    }

    [Fact]
    public async Task Create_TwentyAtOnce_OneWins()
    {
        var name = Unique("vm");
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            try
            {
                await Vms.CreateAsync(Vm(name, $"host-{i}"), Cancellation);
                return true;
            }
            catch (FabricException e) when (e.Code == FabricErrorCode.AlreadyExists)
            {
                return false;
            }
        }));
        Assert.Equal(1, outcomes.Count(won => won));
        Assert.Equal(1L, await ScalarAsync<long>($"SELECT count(*) FROM fabric.ownership_history WHERE vm = '{name}'"));
    }

    [Theory]
    [InlineData("Not A Name", 1)]
    [InlineData("fine", 0)]
    public async Task Create_BadNameOrEpoch_ThrowsInvalid(string name, long epoch) =>
        await ThrowsAsync(FabricErrorCode.InvalidArgument, () => Vms.CreateAsync(Vm(name, epoch: epoch), Cancellation));

    [Fact]
    public async Task Find_Unknown_ReturnsNull() => Assert.Null(await Vms.FindAsync("nobody", Cancellation));

    [Fact]
    public async Task List_ByHost_ReturnsItsVmsByName()
    {
        var host = Unique("list-host");
        var first = await CreateVmAsync(host);
        var second = await CreateVmAsync(host);
        await CreateVmAsync("host-elsewhere");
        Assert.Equal([first, second], (await Vms.ListAsync(host, Cancellation)).Select(vm => vm.Info.Name).Order());
        var all = (await Vms.ListAsync(null, Cancellation)).Select(vm => vm.Info.Name).ToList();
        Assert.Contains(first, all);
        Assert.Equal(all.Order(StringComparer.Ordinal), all);
    }

    [Fact]
    public async Task SetState_CurrentEpoch_ChangesStateAndRecordsTheSentence()
    {
        var name = await CreateVmAsync();
        Assert.True(await Vms.SetStateAsync(name, 1, VmState.Failed, "QEMU died", "It failed.", Cancellation));
        var info = (await Vms.FindAsync(name, Cancellation))!.Info;
        Assert.Equal((VmState.Failed, "QEMU died"), (info.State, info.Reason));
        var recorded = Sink.Events.Last();
        Assert.Equal(("vm.failed", "It failed.", "host-a"), (recorded.Kind, recorded.Message, recorded.Host));
    }

    [Fact]
    public async Task SetState_NoMessage_ChangesStateWithoutEvent()
    {
        var name = await CreateVmAsync();
        Assert.True(await Vms.SetStateAsync(name, 1, VmState.Running, null, null, Cancellation));
        Assert.Equal(VmState.Running, (await Vms.FindAsync(name, Cancellation))!.Info.State);
        Assert.Single(Sink.Events);
    }

    [Fact]
    public async Task SetState_StartingDuringAnOperation_ReturnsFalseAndChangesNothing()
    {
        var name = await CreateVmAsync();
        await Vms.SetStateAsync(name, 1, VmState.Stopped, null, null, Cancellation);
        var plan = Plan(name) with { IsStopped = true };
        await Operations.BeginAsync(plan, Cancellation);

        Assert.False(await Vms.SetStateAsync(name, 1, VmState.Starting, null, null, Cancellation));
        Assert.Equal(VmState.Stopped, (await Vms.FindAsync(name, Cancellation))!.Info.State);

        await Operations.EndAsync(Result(plan, OperationOutcome.Failed), Cancellation);
        Assert.True(await Vms.SetStateAsync(name, 1, VmState.Starting, null, null, Cancellation));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task SetState_OtherEpoch_ReturnsFalseAndChangesNothing(long epoch)
    {
        var name = await CreateVmAsync();
        Assert.False(await Vms.SetStateAsync(name, epoch, VmState.Running, null, "It runs.", Cancellation));
        Assert.Equal(VmState.Starting, (await Vms.FindAsync(name, Cancellation))!.Info.State);
        Assert.Single(Sink.Events);
    }

    [Fact]
    public async Task Delete_CurrentEpoch_RemovesItAndRecordsIt()
    {
        var name = await CreateVmAsync();
        Assert.True(await Vms.DeleteAsync(name, 1, Cancellation));
        Assert.Null(await Vms.FindAsync(name, Cancellation));
        Assert.Equal(EventKinds.VmDeleted, Sink.Events.Last().Kind);
        await Vms.CreateAsync(Vm(name), Cancellation);
    }

    [Fact]
    public async Task Delete_OtherEpochOrUnknown_ReturnsFalse()
    {
        var name = await CreateVmAsync();
        Assert.False(await Vms.DeleteAsync(name, 2, Cancellation));
        Assert.False(await Vms.DeleteAsync("nobody", 1, Cancellation));
        Assert.NotNull(await Vms.FindAsync(name, Cancellation));
    }

    [Fact]
    public async Task Delete_OperationUnderWay_ReturnsFalseBeforeAndAfterItsCommit()
    {
        var plan = await BeginAsync();
        Assert.False(await Vms.DeleteAsync(plan.Vm, 1, Cancellation));
        Assert.Equal(Grains.CommitOutcome.Committed, await Vms.CommitAsync(plan, Cancellation));
        Assert.False(await Vms.DeleteAsync(plan.Vm, 2, Cancellation));
        await Operations.EndAsync(Result(plan), Cancellation);
        Assert.True(await Vms.DeleteAsync(plan.Vm, 2, Cancellation));
    }
}
