using Architekt.Fabric.Grains.Tests.Fakes;

namespace Architekt.Fabric.Grains.Tests.Vms;

public sealed class VmStartTests(SharedCluster shared)
{
    private readonly FabricCluster _cluster = shared.Cluster;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_PackageWithMemory_ResumesAndRunsAtOnce()
    {
        var vm = $"vm-{Guid.NewGuid():N}"[..20];

        var info = await _cluster.Vm(vm).RunAsync(new VmSpec(vm, Samples.WarmName, "host-b"), Token);

        Assert.Equal(VmState.Running, info.State);
        Assert.Contains("host-b:Start Resume", _cluster.World.Journal(vm));
    }

    [Fact]
    public async Task Start_StoppedVm_BootsFromItsOwnDiskAtTheSameEpoch()
    {
        var vm = _cluster.AddVm("host-b", VmState.Stopped);

        var info = await _cluster.Vm(vm).StartAsync(Token);

        Assert.Equal((VmState.Booting, "host-b", 1L), (info.State, info.Host, info.Epoch));
        Assert.Contains("host-b:Start BootAgain", _cluster.World.Journal(vm));
    }

    [Fact]
    public async Task Start_HostCannot_TheVmStaysStoppedWithTheReason()
    {
        var vm = _cluster.AddVm(state: VmState.Stopped);
        _cluster.World.Throw(vm, "Start BootAgain", new FabricException(FabricErrorCode.NoCapacity, "4 GiB are missing"));

        await Assert.ThrowsAsync<FabricException>(() => _cluster.Vm(vm).StartAsync(Token));

        Assert.Equal((VmState.Stopped, "4 GiB are missing"), (_cluster.Row(vm).State, _cluster.Row(vm).Reason));
    }

    [Fact]
    public async Task Start_RunningVm_DoesNothing()
    {
        var vm = _cluster.AddVm();

        Assert.Equal(VmState.Running, (await _cluster.Vm(vm).StartAsync(Token)).State);
        Assert.Empty(_cluster.World.Journal(vm));
    }

    [Fact]
    public async Task Get_RunningVm_SaysWhatItHolds_AndAHostThatDoesNotAnswerCostsOnlyThat()
    {
        var vm = _cluster.AddVm();
        Assert.Equal(Samples.Usage, (await _cluster.Vm(vm).GetAsync(Token)).Usage);

        _cluster.World.Throw(vm, "Usage", FabricException.Unavailable("the peer does not answer"));
        Assert.Equal((VmState.Running, null), ((await _cluster.Vm(vm).GetAsync(Token)).State, (await _cluster.Vm(vm).GetAsync(Token)).Usage));
    }
}
