using Architekt.Fabric.Peer;
using Architekt.Fabric.Silo.Reconciliation;

namespace Architekt.Fabric.Silo.Tests.Reconciliation;

public sealed class InstanceRulesTests
{
    private const string Host = "host-a";

    [Theory]
    [InlineData(PeerState.HandedOver)]
    [InlineData(PeerState.Loaded)]
    [InlineData(PeerState.Running)]
    public void Judge_OperationUnderWay_LeavesWhateverItIs(PeerState state) =>
        Assert.Equal(InstanceVerdict.Leave, InstanceRules.Judge(Vm(epoch: 1, operation: "op"), "host-b", 2, Status(state, "op", granted: 0)));

    [Theory]
    [InlineData("host-b", 2)]
    [InlineData(Host, 1)]
    [InlineData(Host, 3)]
    public void Judge_OtherOwnerOrEpoch_IsRemovedEvenIfItsPeerIsSilent(string owner, long epoch) =>
        Assert.Equal(InstanceVerdict.Remove, InstanceRules.Judge(Vm(epoch, host: owner), Host, 2, status: null));

    [Fact]
    public void Judge_NoRow_IsRemoved() => Assert.Equal(InstanceVerdict.Remove, InstanceRules.Judge(vm: null, Host, 2, Status(PeerState.Running, null, 2)));

    [Theory]
    [InlineData(PeerState.Running)]
    [InlineData(PeerState.Switching)]
    [InlineData(PeerState.HandedOver)]
    public void Judge_OwnerInAMigrationThatIsOver_GoesOn(PeerState state) =>
        Assert.Equal(InstanceVerdict.RollBack, InstanceRules.Judge(Vm(epoch: 2), Host, 2, Status(state, "op", granted: 2)));

    [Fact]
    public void Judge_OwnerByACommitThatWasNeverGranted_IsRun() =>
        Assert.Equal(InstanceVerdict.Run, InstanceRules.Judge(Vm(epoch: 2), Host, 2, Status(PeerState.Incoming, "op", granted: 0)));

    /// <summary>Nobody else would ever start it, and it counts as being started.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Judge_OwnerWaitsForASiloThatIsGoneToBeStarted_IsRemoved(bool isForsaken) =>
        Assert.Equal(isForsaken ? InstanceVerdict.Remove : InstanceVerdict.Leave, InstanceRules.Judge(Vm(epoch: 2) with { State = VmState.Starting }, Host, 2, Status(PeerState.Idle, null, granted: 0), isForsaken));

    [Fact]
    public void Judge_OwnerWhosePeerIsSilent_IsLeft() => Assert.Equal(InstanceVerdict.Leave, InstanceRules.Judge(Vm(epoch: 2), Host, 2, status: null));

    [Theory]
    [InlineData(VmState.Running, false)]
    [InlineData(VmState.Booting, true)]
    [InlineData(VmState.Stopping, false)]
    [InlineData(VmState.Unknown, true)]
    [InlineData(VmState.Failed, true)]
    [InlineData(VmState.Stopped, true)]
    public void Judge_OwnerRuns_RowIsToSaySo(VmState recorded, bool isCorrected) =>
        Assert.Equal(isCorrected ? InstanceVerdict.RecordRunning : InstanceVerdict.Leave, InstanceRules.Judge(Vm(epoch: 2) with { State = recorded }, Host, 2, Status(PeerState.Running, null, granted: 2)));

    private static VmInfo Vm(long epoch, string host = Host, string? operation = null) => new(
        "web", VmState.Running, null, host, epoch, "package", "sha256-0", 1, 1 << 28, null, operation, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch);

    private static PeerStatus Status(PeerState state, string? operation, long granted) => new("web", 2, granted, state, IsLive: true, operation, 0);
}
