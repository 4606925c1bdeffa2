using System.Text.Json;
using Architekt.Fabric.Cli.Tests.Fakes;

namespace Architekt.Fabric.Cli.Tests.Commands;

public sealed class EventsTests : IDisposable
{
    private readonly TestCli _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task Events_NoTerminal_IsOneLineEach()
    {
        _cli.Fabric.Events.Add(Samples.Event(7));
        _cli.Fabric.Events.Add(Samples.Event(8, vm: null));

        await _cli.RunAsync("events");

        Assert.Equal(
            """
                 7  2026-01-02T03:04:05Z  vm.started          redis         host-a      VM 'redis' was started.
                 8  2026-01-02T03:04:05Z  vm.started          -             host-a      VM '' was started.

            """,
            _cli.Out);
    }

    [Fact]
    public async Task Events_OfOneVm_LeavesOthersOut()
    {
        _cli.Fabric.Events.AddRange([Samples.Event(1), Samples.Event(2, "other"), Samples.Event(3)]);

        await _cli.RunAsync("events", "--vm", "redis", "-q");

        Assert.Equal("1\n3\n", _cli.Out);
    }

    [Fact]
    public async Task Events_After_ReadsPageByPage()
    {
        for (var sequence = 1; sequence <= 2500; sequence++) _cli.Fabric.Events.Add(Samples.Event(sequence));

        await _cli.RunAsync("events", "--after", "10", "-q");

        Assert.Equal(2490, _cli.Out.Count(character => character == '\n'));
    }

    [Fact]
    public async Task VmEvents_UnknownVm_Exits3() => Assert.Equal(ExitCode.NotFound, await _cli.RunAsync("vm", "events", "nobody"));

    [Fact]
    public async Task Events_FollowWithJson_IsOneObjectALineUntilCtrlC()
    {
        _cli.IsTerminal = true;
        _cli.Fabric.Events.AddRange([Samples.Event(1), Samples.Event(2)]);
        _cli.Fabric.EventsUsedUp = _cli.Interrupts.Signal;

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("events", "--follow", "-o", "json"));

        var lines = _cli.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal([1L, 2L], lines.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("sequence").GetInt64()));
        Assert.Equal("", _cli.Error);
    }
}
