using Architekt.GuestPorts;

namespace Architekt.Agent.Tests.Ports;

public sealed class CommandLineTests
{
    [Fact]
    public void Read_BothForms_GiveTheValue()
    {
        var line = Read("--port", "/dev/a", "--wait=1.5", "--help");

        Assert.Equal("/dev/a", line.Text("--port"));
        Assert.Equal(1.5, line.Number("--wait", 0, 0, 10));
        Assert.True(line.Has("--help"));
    }

    [Theory]
    [InlineData("Unknown argument '--prot'", "--prot", "x")]
    [InlineData("Unknown argument 'x'", "x")]
    [InlineData("Unknown argument '--help=1'", "--help=1")]
    [InlineData("--port needs a value", "--port")]
    [InlineData("--port is given twice", "--port=a", "--port=b")]
    public void Read_Wrong_SaysWhatIs(string problem, params string[] arguments) =>
        Assert.Contains(problem, Assert.Throws<CommandLineException>(() => Read(arguments)).Message);

    [Theory]
    [InlineData("11")]
    [InlineData("-1")]
    [InlineData("NaN")]
    [InlineData("soon")]
    public void Number_OutOfRange_SaysTheRange(string value) =>
        Assert.Contains("from 0 to 10", Assert.Throws<CommandLineException>(() => Read("--wait", value).Number("--wait", 0, 0, 10)).Message);

    private static CommandLine Read(params string[] arguments) => new(arguments, ["--port", "--wait"], ["--help"]);
}
