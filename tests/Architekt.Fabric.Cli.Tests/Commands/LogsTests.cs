using System.Text;
using Architekt.Fabric.Cli.Tests.Fakes;

namespace Architekt.Fabric.Cli.Tests.Commands;

public sealed class LogsTests : IDisposable
{
    private readonly TestCli _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task VmLogs_LongLog_IsReadWhole()
    {
        var log = string.Concat(Enumerable.Range(0, 500).Select(line => $"line {line} ä\n"));
        _cli.Fabric.Log = Encoding.UTF8.GetBytes(log);

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("vm", "logs", "redis"));

        Assert.Equal(log, _cli.Bytes);
    }

    [Theory]
    [InlineData("a\nb\nc\n", 2, "b\nc\n")]
    [InlineData("a\nb\nc", 2, "b\nc")]
    [InlineData("a\nb\n", 9, "a\nb\n")]
    [InlineData("a\nb\n", 0, "")]
    [InlineData("\n\n\n", 1, "\n")]
    [InlineData("", 3, "")]
    public async Task VmLogs_Tail_BeginsWithTheLastLines(string log, int lines, string shown)
    {
        _cli.Fabric.Log = Encoding.UTF8.GetBytes(log);

        await _cli.RunAsync("vm", "logs", "redis", "--tail", $"{lines}");

        Assert.Equal(shown, _cli.Bytes);
    }

    [Fact]
    public async Task VmLogs_TailOfVeryLongLines_ReadsFarEnoughBack()
    {
        var line = new string('x', 30_000);
        _cli.Fabric.Log = Encoding.UTF8.GetBytes($"{line}1\n{line}2\n{line}3\n");

        await _cli.RunAsync("vm", "logs", "redis", "--tail", "2");

        Assert.Equal($"{line}2\n{line}3\n", _cli.Bytes);
    }

    [Fact]
    public async Task VmLogs_Follow_GoesOnWithTheNextHost()
    {
        _cli.Fabric.Log = "on the old host\n"u8.ToArray();

        await _cli.RunAsync("vm", "logs", "redis", "-f");

        Assert.Equal("on the old host\non the new host\n", _cli.Bytes);
    }

    [Fact]
    public async Task VmLogs_FollowWithJson_IsOneObjectALine()
    {
        _cli.Fabric.LogPieceBytes = 3;
        _cli.Fabric.Log = Encoding.UTF8.GetBytes("grün\r\nunfinished");

        await _cli.RunAsync("vm", "logs", "redis", "-f", "-o", "json");

        Assert.Equal(
            """
            {"vm":"redis","epoch":1,"line":"grün"}
            {"vm":"redis","epoch":1,"line":"unfinished"}
            {"vm":"redis","epoch":2,"line":"on the new host"}

            """,
            _cli.Out);
    }

    [Fact]
    public async Task VmConsole_EscapeTyped_SendsWhatCameBeforeAndDetaches()
    {
        _cli.Fabric.Vms.Add(Samples.Vm());
        _cli.HasInputTerminal = true;
        _cli.Input = new MemoryStream("root\r\u001dnot sent"u8.ToArray());

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("vm", "console", "redis"));

        Assert.Equal("root\r", Encoding.UTF8.GetString([.. _cli.Fabric.Typed]));
        Assert.Equal("login: ", _cli.Bytes);
    }

    [Fact]
    public async Task VmConsole_StoppedVm_Exits4()
    {
        _cli.Fabric.Vms.Add(Samples.Vm(state: VmState.Stopped));

        Assert.Equal(ExitCode.Conflict, await _cli.RunAsync("vm", "console", "redis"));
        Assert.Contains("fabric vm logs redis", _cli.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VmConsole_Json_Exits2() => Assert.Equal(ExitCode.Usage, await _cli.RunAsync("vm", "console", "redis", "-o", "json"));
}
