using Architekt.Fabric.Cli.Parsing;
using CsCheck;

namespace Architekt.Fabric.Cli.Tests.Parsing;

public sealed class ByteSizeTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("4096", 4096)]
    [InlineData("1B", 1)]
    [InlineData("64K", 65536)]
    [InlineData("64k", 65536)]
    [InlineData("64KiB", 65536)]
    [InlineData("512M", 536870912)]
    [InlineData("1G", 1073741824)]
    [InlineData("1.5G", 1610612736)]
    [InlineData("2TiB", 2199023255552)]
    public void TryParse_Size_IsUnderstood(string text, long bytes)
    {
        Assert.True(ByteSize.TryParse(text, out var parsed));
        Assert.Equal(bytes, parsed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("M")]
    [InlineData("-1M")]
    [InlineData("1 M")]
    [InlineData("1MB")]
    [InlineData("1mib")]
    [InlineData("1P")]
    [InlineData("1e3")]
    [InlineData("0x10")]
    [InlineData("1,5G")]
    [InlineData("0.3")]
    [InlineData("9000000T")]
    [InlineData("99999999999999999999999999999999999999")]
    public void TryParse_SomethingElse_IsRefused(string text) => Assert.False(ByteSize.TryParse(text, out _));

    [Fact]
    public void TryParse_AnyWholeNumberAndUnit_IsExact() =>
        Gen.Select(Gen.Long[0, 8000], Gen.Int[0, 3])
            .Sample((number, unit) => ByteSize.TryParse($"{number}{"KMGT"[unit]}", out var bytes) && bytes == number << (10 * (unit + 1)));

    [Fact]
    public void TryParse_AnyText_DoesNotThrow() => Gen.String[Gen.Char["0123456789.KMGTiBb -"], 0, 12].Sample(text => ByteSize.TryParse(text, out _) || true);

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1 KiB")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(1048575, "1 MiB")]
    [InlineData(133169152, "127 MiB")]
    [InlineData(1.5 * 1073741824, "1.5 GiB")]
    public void Format_Bytes_IsShort(double bytes, string text) => Assert.Equal(text, ByteSize.Format(bytes));
}
