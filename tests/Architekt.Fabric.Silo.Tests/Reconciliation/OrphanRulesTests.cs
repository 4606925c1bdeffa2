using Architekt.Fabric.Peer;
using Architekt.Fabric.Silo.Reconciliation;
using Architekt.Fabric.Silo.Tests.Support;

namespace Architekt.Fabric.Silo.Tests.Reconciliation;

public sealed class OrphanRulesTests
{
    private const string Here = "host-a";

    [Theory]
    [InlineData("host-a", 2, 2, null, false)]
    [InlineData("host-a", 3, 2, null, false)]
    [InlineData("host-a", 4, 1, null, false)]
    [InlineData("host-a", 3, 3, null, true)]
    [InlineData("host-b", 2, 2, null, true)]
    [InlineData("host-b", 3, 3, "op", false)]
    public void IsOrphanDisk_FiledUnderEpochTwo(string host, long epoch, long diskEpoch, string? operation, bool expected) =>
        Assert.Equal(expected, OrphanRules.IsOrphanDisk(Rows.Vm("vm", host, epoch, VmState.Stopped, operation, diskEpoch), Here, epoch: 2));

    [Theory]
    [InlineData(VmState.Stopped, VmRestart.OnFailure, null, true)]
    [InlineData(VmState.Failed, VmRestart.Never, null, true)]
    [InlineData(VmState.Failed, VmRestart.OnFailure, null, false)]
    [InlineData(VmState.Starting, VmRestart.Never, null, false)]
    [InlineData(VmState.Stopped, VmRestart.Never, "op", false)]
    public void CanSettleDisk_OnlyWhenNobodyIsAboutToStartIt(VmState state, VmRestart restart, string? operation, bool expected)
    {
        var vm = Rows.Vm("vm", Here, 3, state, operation, diskEpoch: 2);
        Assert.Equal(expected, OrphanRules.CanSettleDisk(vm with { Info = vm.Info with { Restart = restart } }));
    }

    // What a host that was declared dead has of a VM is all there is of it.
    [Fact]
    public void IsOrphanDisk_OfALostVm_IsKept() =>
        Assert.False(OrphanRules.IsOrphanDisk(Rows.Vm("vm", Here, 3, VmState.Lost, diskEpoch: 2), Here, epoch: 2));

    [Fact]
    public void DeletedVm_EverythingIsAnOrphan()
    {
        Assert.True(OrphanRules.IsOrphanDisk(null, Here, 1));
        Assert.True(OrphanRules.IsOrphanLog(null, Here, 1));
    }

    [Theory]
    [InlineData(VmState.Failed, PeerState.Running, true)]
    [InlineData(VmState.Starting, PeerState.Running, true)]
    [InlineData(VmState.Running, PeerState.Running, false)]
    [InlineData(VmState.Stopping, PeerState.Running, false)]
    [InlineData(VmState.Failed, PeerState.HandedOver, false)]
    public void IsUnderrated_ByRecordAndPeer(VmState recorded, PeerState state, bool expected) => Assert.Equal(expected, OrphanRules.IsUnderrated(recorded, state));

    [Theory]
    [InlineData(VmState.Running, false, null, true)]
    [InlineData(VmState.Starting, false, null, true)]
    [InlineData(VmState.Running, true, null, false)]
    [InlineData(VmState.Running, false, "op", false)]
    [InlineData(VmState.Stopped, false, null, false)]
    [InlineData(VmState.Lost, false, null, false)]
    public void IsMissing_ByStateAndPeer(VmState state, bool hasPeer, string? operation, bool expected) =>
        Assert.Equal(expected, OrphanRules.IsMissing(Rows.Vm("vm", Here, 1, state, operation), hasPeer));
}
