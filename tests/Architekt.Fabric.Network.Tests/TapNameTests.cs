using CsCheck;

namespace Architekt.Fabric.Network.Tests;

public sealed class TapNameTests
{
    [Fact]
    public void For_AnyVmAndEpoch_FitsLinuxAndIsOursAndStable()
        => Gen.Select(Gen.String[1, 100], Gen.Long).Sample((vm, epoch) =>
        {
            var name = TapName.For(vm, epoch);
            return name.Length == 12 && TapName.IsOurs(name) && name == TapName.For(vm, epoch);
        });

    [Fact]
    public void For_NamesThatEndInDigits_DoNotRunIntoTheEpoch()
        => Gen.Select(Gen.String[Gen.Char["/12"], 1, 4], Gen.Int[0, 200], Gen.String[Gen.Char["/12"], 1, 4], Gen.Int[0, 200])
            .Sample((vm, epoch, other, otherEpoch) => (vm, epoch) == (other, otherEpoch) || TapName.For(vm, epoch) != TapName.For(other, otherEpoch));

    [Fact]
    public void For_KnownVm_IsTheSameInEveryVersion() => Assert.Equal("akf1980f195d", TapName.For("redis", 7));

    [Theory]
    [InlineData("ak0123456789", true)]
    [InlineData("ak012345678", false)]
    [InlineData("ak012345678g", false)]
    [InlineData("eth0", false)]
    [InlineData("tp0123456789", false)]
    public void IsOurs_Name_IsKnownByItsForm(string name, bool ours) => Assert.Equal(ours, TapName.IsOurs(name));
}
