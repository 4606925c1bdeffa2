namespace Architekt.Fabric.Soak.Tests;

public sealed class SoakOptionsTests
{
    private static readonly string[] Given = ["/run", "/logs", "ns-", "10.77.0.1:30000,10.77.0.2:30000", "Host=10.77.0.254", "/guest", "10.77.0", "3", "3", "60", "7", "none"];

    [Fact]
    public void TryParse_AsTheScriptCallsIt_HasItAll()
    {
        Assert.True(SoakOptions.TryParse(Given, out var options));
        Assert.Equal((3, 3, TimeSpan.FromMinutes(1), 7, Harm.None), (options.Hosts, options.Guests, options.Duration, options.Seed, options.Harm));
    }

    [Theory]
    [InlineData("two-copies", (int)Harm.TwoCopies)]
    [InlineData("lost-writes", (int)Harm.LostWrites)]
    [InlineData("lost-guest", (int)Harm.LostGuest)]
    public void TryParse_WithAHarm_HasIt(string word, int expected)
    {
        Assert.True(SoakOptions.TryParse([.. Given[..^1], word], out var options));
        Assert.Equal((Harm)expected, options.Harm);
    }

    [Theory]
    [InlineData(7, "1")]
    [InlineData(9, "0")]
    [InlineData(10, "x")]
    [InlineData(11, "17")]
    public void TryParse_OutOfRange_IsRefused(int index, string value)
    {
        var given = Given.ToArray();
        given[index] = value;
        Assert.False(SoakOptions.TryParse(given, out _));
    }
}
