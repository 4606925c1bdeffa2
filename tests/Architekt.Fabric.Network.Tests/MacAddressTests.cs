using CsCheck;

namespace Architekt.Fabric.Network.Tests;

public sealed class MacAddressTests
{
    private static readonly Gen<MacAddress> _any = Gen.Byte.Array[MacAddress.Length].Select(bytes => new MacAddress(bytes));

    [Fact]
    public void ToString_AnyAddress_IsReadBackByParse()
        => _any.Sample(mac => MacAddress.Parse(mac.ToString()) == mac && MacAddress.Parse(mac.ToString().ToUpperInvariant().Replace(':', '-')) == mac);

    [Fact]
    public void ToArray_AnyAddress_IsTheSameAgain() => _any.Sample(mac => new MacAddress(mac.ToArray()) == mac);

    [Fact]
    public void Parse_KnownAddress_HasItsBytesInOrder()
    {
        Assert.Equal([0x02, 0x0e, 0xd9, 0xfd, 0x68, 0x3d], MacAddress.Parse("02:0e:d9:fd:68:3d").ToArray());
        Assert.Equal("02:0e:d9:fd:68:3d", MacAddress.Parse("02-0E-D9-FD-68-3D").ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("02:0e:d9:fd:68")]
    [InlineData("02:0e:d9:fd:68:3")]
    [InlineData("02:0e:d9:fd:68:3d:00")]
    [InlineData("02:0e-d9:fd:68:3d")]
    [InlineData("02 0e d9 fd 68 3d")]
    [InlineData("g2:0e:d9:fd:68:3d")]
    public void TryParse_AnythingElse_IsFalse(string? text) => Assert.False(MacAddress.TryParse(text, out _));

    [Fact]
    public void Parse_AnyText_IsRefusedOrRoundTrips()
        => Gen.String[Gen.Char[":-0aFfg9"], 0, 20].Sample(text =>
            !MacAddress.TryParse(text, out var mac) || mac.ToString() == text.ToLowerInvariant().Replace('-', ':'));

    [Fact]
    public void Generate_AnyName_IsLocalUnicastAndStable()
        => Gen.String[1, 40].Sample(name =>
        {
            var mac = MacAddress.Generate(name);
            return mac is { IsUnicast: true, IsLocallyAdministered: true } && mac == MacAddress.Generate(name);
        });

    [Fact]
    public void Generate_KnownName_IsTheSameInEveryVersion()
        => Assert.Equal("d6:7a:ca:a0:ad:d0", MacAddress.Generate("redis").ToString());

    [Fact]
    public void Generate_ManyNames_AreAllDifferent()
        => Assert.Equal(10_000, Enumerable.Range(0, 10_000).Select(i => MacAddress.Generate($"vm-{i}")).Distinct().Count());

    [Fact]
    public void Broadcast_IsNotUnicast() => Assert.False(MacAddress.Broadcast.IsUnicast);
}
