using Architekt.Fabric.Silo.Ownership;

namespace Architekt.Fabric.Silo.Tests.Ownership;

public sealed class StartRulesTests
{
    private const string Host = "host-a";

    [Theory]
    [InlineData(VmState.Starting)]
    [InlineData(VmState.Booting)]
    public void Refusal_SomebodyWantsItStarted_IsNone(VmState state) => Assert.Null(StartRules.Refusal(Vm(state), Host, 2));

    /// <summary>A message that was held up: what has been given up since may be about to move.</summary>
    [Theory]
    [InlineData(VmState.Stopped)]
    [InlineData(VmState.Failed)]
    [InlineData(VmState.Stopping)]
    [InlineData(VmState.Lost)]
    public void Refusal_NobodyWantsItStartedAnyMore_SaysWhatItIs(VmState state) =>
        Assert.Contains(state.ToString().ToLowerInvariant(), StartRules.Refusal(Vm(state), Host, 2), StringComparison.Ordinal);

    [Theory]
    [InlineData("host-b", 2)]
    [InlineData(Host, 1)]
    [InlineData(Host, 3)]
    public void Refusal_OtherOwnerOrEpoch_NamesTheOwner(string owner, long epoch) =>
        Assert.Contains($"'{owner}' owns it with epoch {epoch}", StartRules.Refusal(Vm(VmState.Starting) with { Host = owner, Epoch = epoch }, Host, 2), StringComparison.Ordinal);

    [Fact]
    public void Refusal_NoRow_SaysSo() => Assert.NotNull(StartRules.Refusal(vm: null, Host, 2));

    private static VmInfo Vm(VmState state) => new(
        "web", state, null, Host, 2, "package", "sha256-0", 1, 1 << 28, null, null, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch);
}
