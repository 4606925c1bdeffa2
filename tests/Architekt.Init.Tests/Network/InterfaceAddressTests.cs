using Architekt.Init.Network;
using CsCheck;

namespace Architekt.Init.Tests.Network;

public sealed class InterfaceAddressTests
{
    [Theory]
    [InlineData("10.77.0.50/24", 0x0A4D0032u, 0xFFFFFF00u, 0x0A4D00FFu)]
    [InlineData("10.77.0.50", 0x0A4D0032u, 0xFFFFFFFFu, 0x0A4D0032u)]
    [InlineData("10.77.0.50/0", 0x0A4D0032u, 0u, 0xFFFFFFFFu)]
    public void Address_HasItsMaskAndBroadcast(string text, uint address, uint mask, uint broadcast)
    {
        Assert.True(InterfaceAddress.TryParse(text, out var parsed));
        Assert.Equal((address, mask, broadcast), (parsed.Address, parsed.Mask, parsed.Broadcast));
    }

    [Theory]
    [InlineData("")]
    [InlineData("10.77.0/24")]
    [InlineData("10.77.0.256/24")]
    [InlineData("10.77.0.5/33")]
    [InlineData("10.77.0.5/-1")]
    [InlineData("10.77.0.5/24/8")]
    [InlineData("fe80::1/64")]
    public void OtherText_IsNoAddress(string text) => Assert.False(InterfaceAddress.TryParse(text, out _));

    [Fact]
    public void AnyAddress_IsReadBack() => Gen.Select(Gen.Byte.Array[4], Gen.Int[0, 32]).Sample((parts, prefix) =>
    {
        Assert.True(InterfaceAddress.TryParse($"{string.Join('.', parts)}/{prefix}", out var parsed));
        Assert.Equal(((uint)parts[0] << 24) | ((uint)parts[1] << 16) | ((uint)parts[2] << 8) | parts[3], parsed.Address);
        Assert.Equal(prefix, System.Numerics.BitOperations.PopCount(parsed.Mask));
    });
}
