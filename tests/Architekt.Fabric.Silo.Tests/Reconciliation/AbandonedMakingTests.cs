using Architekt.Fabric.Silo.Reconciliation;

namespace Architekt.Fabric.Silo.Tests.Reconciliation;

public sealed class AbandonedMakingTests
{
    private static readonly DateTimeOffset Created = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly DateTimeOffset Later = Created + AbandonedMaking.YoungestAge + TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(VmState.Starting)]
    [InlineData(VmState.Booting)]
    [InlineData(VmState.Running)]
    [InlineData(VmState.Stopped)]
    [InlineData(VmState.Failed)]
    public void Is_NobodyMakesAPackageOfIt_Yes(VmState state) => Assert.True(AbandonedMaking.Is(Vm("making-1", state), Later));

    [Fact]
    public void Is_APackageIsBeingMade_No() => Assert.False(AbandonedMaking.Is(Vm("making-1") with { Operation = "op-1" }, Later));

    [Fact]
    public void Is_ItsOperationMayBeAboutToBeRecorded_No() => Assert.False(AbandonedMaking.Is(Vm("making-1"), Created + AbandonedMaking.YoungestAge));

    [Theory]
    [InlineData("redis")]
    [InlineData("makings")]
    public void Is_AnyOtherVm_No(string name) => Assert.False(AbandonedMaking.Is(Vm(name), Later));

    private static VmInfo Vm(string name, VmState state = VmState.Running) =>
        new(name, state, null, "host-a", 1, "redis", "sha256-0", 1, 1 << 20, null, null, Created, Created);
}
