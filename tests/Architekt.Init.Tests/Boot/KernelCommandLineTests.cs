using Architekt.Init.Boot;

namespace Architekt.Init.Tests.Boot;

public sealed class KernelCommandLineTests
{
    [Theory]
    [InlineData("console=ttyS0 architekt.ip=10.0.0.5/24 quiet\n", "10.0.0.5/24")]
    [InlineData("architekt.ip=1.1.1.1 architekt.ip=2.2.2.2", "2.2.2.2")]
    [InlineData("architekt.ip= quiet", null)]
    [InlineData("architekt.ipx=1 xarchitekt.ip=2 ip=3", null)]
    [InlineData("", null)]
    public void Value_IsTheLastOneGiven(string text, string? value) => Assert.Equal(value, new KernelCommandLine(text).Value("ip"));
}
