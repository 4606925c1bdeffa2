using Architekt.Fabric.Cli.Parsing;
using CsCheck;

namespace Architekt.Fabric.Cli.Tests.Parsing;

public sealed class DurationTests
{
    [Theory]
    [InlineData("5ms", 5)]
    [InlineData("0.5ms", 0.5)]
    [InlineData("30s", 30_000)]
    [InlineData("1.5s", 1500)]
    [InlineData("10m", 600_000)]
    [InlineData("1h", 3_600_000)]
    [InlineData("1d", 86_400_000)]
    [InlineData("1m30s", 90_000)]
    [InlineData("1h0m5s20ms", 3_605_020)]
    public void TryParse_Duration_IsUnderstood(string text, double milliseconds)
    {
        Assert.True(Duration.TryParse(text, out var duration));
        Assert.Equal(milliseconds, duration.TotalMilliseconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("30")]
    [InlineData("s")]
    [InlineData("-5s")]
    [InlineData("5 s")]
    [InlineData("5S")]
    [InlineData("1.2.3s")]
    [InlineData(".s")]
    [InlineData("30s1m")]
    [InlineData("1s1s")]
    [InlineData("5us")]
    [InlineData("366d")]
    [InlineData("364d48h")]
    [InlineData("99999999999999999999999999999999h")]
    public void TryParse_SomethingElse_IsRefused(string text) => Assert.False(Duration.TryParse(text, out _));

    [Fact]
    public void TryParse_AnyText_DoesNotThrow() => Gen.String[Gen.Char["0123456789.msh d-"], 0, 14].Sample(text => Duration.TryParse(text, out _) || true);

    [Theory]
    [InlineData(5.234, "5.2 ms")]
    [InlineData(420.4, "420 ms")]
    [InlineData(1240.1, "1.24 s")]
    [InlineData(125_000, "2 min 5 s")]
    public void Format_Milliseconds_IsShort(double milliseconds, string text) => Assert.Equal(text, Duration.Format(milliseconds));

    [Theory]
    [InlineData(-3, "0s")]
    [InlineData(59, "59s")]
    [InlineData(3599, "59m")]
    [InlineData(86_399, "23h")]
    [InlineData(200_000, "2d")]
    public void FormatAge_Seconds_ShowsTheLargestUnit(int seconds, string text) => Assert.Equal(text, Duration.FormatAge(TimeSpan.FromSeconds(seconds)));
}
