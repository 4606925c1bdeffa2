using Architekt.Fabric.Cli.Tests.Fakes;

namespace Architekt.Fabric.Cli.Tests.Commands;

public sealed class DrainTests : IDisposable
{
    private static readonly DrainedVm[] _vms =
    [
        new("redis", DrainedVmState.Moved, "host-b", "op-1-redis-1", 1, 1240.1234, 5.23456),
        new("web", DrainedVmState.NoRoom, Reason: "it needs 512 MiB of guest memory, and no open host has more than 256 MiB free"),
    ];

    private static readonly DrainResult _success = new("op-1", "host-a", OperationOutcome.Succeeded, null, null, 1500, 1500.1234, [_vms[0]]);

    private static readonly DrainResult _noRoom = new(
        "op-1", "host-a", OperationOutcome.Failed, FabricErrorCode.NoCapacity, "'web' did not fit on any open host", 1500, null, _vms);

    private readonly TestCli _cli = new();

    public void Dispose() => _cli.Dispose();

    [Theory]
    [InlineData("cordon", "ready,cordoned")]
    [InlineData("uncordon", "ready")]
    public async Task HostCordon_PrintsTheHost(string verb, string state)
    {
        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("host", verb, "host-a"));

        Assert.Equal([$"{verb} host-a"], _cli.Fabric.Calls);
        Assert.Equal($"Host:   host-a\nState:  {state}\nVMs:    2\n", _cli.Out);
    }

    [Fact]
    public async Task HostList_ShowsWhatIsCordoned()
    {
        _cli.Fabric.Hosts.Add(Samples.Host("host-a") with { IsCordoned = true });

        await _cli.RunAsync("host", "list");

        Assert.Contains("host-a  ready,cordoned  10.0.0.1", _cli.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HostDrain_AllOptions_ReachTheFabric()
    {
        Ends(_success);

        await _cli.RunAsync("host", "drain", "host-a", "--deadline", "10m", "--parallel", "4", "--to", "host-b", "host-c", "--operation", "op-1");

        Assert.Equal(["drain host-a as op-1"], _cli.Fabric.Calls);
        var options = _cli.Fabric.DrainOptions!;
        Assert.Equal((4, 600_000L), (options.Parallel, options.DeadlineMs));
        Assert.Equal(["host-b", "host-c"], options.To);
    }

    [Fact]
    public async Task HostDrain_Succeeds_PrintsALineForEachChangeAndASummary()
    {
        _cli.Fabric.DrainReports.Add(new DrainProgress(1, 10, [new DrainedVm("redis", DrainedVmState.Waiting)], null));
        _cli.Fabric.DrainReports.Add(new DrainProgress(2, 20, [new DrainedVm("redis", DrainedVmState.Moving, "host-b", "op-1-redis-1", 1)], null));
        Ends(_success);

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("host", "drain", "host-a"));

        Assert.Equal("Host host-a is empty and cordoned: 1 VM moved in 1.50 s.\n  redis  moved to host-b in 1.24 s, pause 5.2 ms\n", _cli.Out);
        Assert.Equal(
            """
              10.0 ms  redis  waits
              20.0 ms  redis  moves to host-b (operation op-1-redis-1)
               1.50 s  redis  moved to host-b in 1.24 s, pause 5.2 ms

            """,
            _cli.Error);
    }

    [Fact]
    public async Task HostDrain_NotAllFit_SaysSoAndExitsWithConflict()
    {
        Ends(_noRoom);

        Assert.Equal(ExitCode.Conflict, await _cli.RunAsync("host", "drain", "host-a"));

        Assert.Contains("1 VM moved, 1 not", _cli.Out, StringComparison.Ordinal);
        Assert.Contains("web  did not fit: it needs 512 MiB", _cli.Out, StringComparison.Ordinal);
        Assert.Contains("fabric: The drain of host 'host-a' failed: 'web' did not fit on any open host", _cli.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HostDrain_Json_IsExactlyOneResultObject()
    {
        _cli.Fabric.DrainReports.Add(new DrainProgress(1, 10, [], null));
        Ends(_noRoom);

        Assert.Equal(ExitCode.Conflict, await _cli.RunAsync("host", "drain", "host-a", "-o", "json"));

        Assert.Equal(
            "{\"operation\":\"op-1\",\"host\":\"host-a\",\"outcome\":\"failed\",\"errorCode\":\"noCapacity\",\"reason\":\"'web' did not fit on any open host\"," +
            "\"totalMs\":1500,\"evictionMs\":null,\"moved\":1,\"notMoved\":1,\"vms\":[" +
            "{\"vm\":\"redis\",\"state\":\"moved\",\"destination\":\"host-b\",\"operation\":\"op-1-redis-1\",\"attempts\":1,\"totalMs\":1240.123,\"pauseMs\":5.235,\"reason\":null}," +
            "{\"vm\":\"web\",\"state\":\"noRoom\",\"destination\":null,\"operation\":null,\"attempts\":0,\"totalMs\":null,\"pauseMs\":null," +
            "\"reason\":\"it needs 512 MiB of guest memory, and no open host has more than 256 MiB free\"}]}\n",
            _cli.Out);
    }

    [Theory]
    [InlineData(OperationOutcome.Cancelled, FabricErrorCode.Cancelled, 7)]
    [InlineData(OperationOutcome.Failed, FabricErrorCode.Timeout, 5)]
    [InlineData(OperationOutcome.Failed, FabricErrorCode.Failed, 1)]
    public async Task HostDrain_DoesNotSucceed_ExitsWithItsCode(OperationOutcome outcome, FabricErrorCode code, int expected)
    {
        Ends(_noRoom with { Outcome = outcome, ErrorCode = code });

        Assert.Equal(expected, (int)await _cli.RunAsync("host", "drain", "host-a"));
    }

    [Fact]
    public async Task HostDrain_Detach_ReturnsAtOnce()
    {
        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("host", "drain", "host-a", "--detach", "-q"));
        Assert.Equal("op-1\n", _cli.Out);
    }

    [Fact]
    public async Task HostDrain_Interrupted_LetsTheDrainGoOn()
    {
        _cli.Fabric.ReportsUsedUp = _cli.Interrupts.Signal;

        Assert.Equal(ExitCode.Cancelled, await _cli.RunAsync("host", "drain", "host-a"));

        Assert.Contains("fabric operation watch op-1", _cli.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("cancel drain op-1", _cli.Fabric.Calls);
    }

    [Theory]
    [InlineData("--parallel", "0")]
    [InlineData("--deadline", "10")]
    [InlineData("--to", "No")]
    public async Task HostDrain_WrongValue_IsAUsageErrorBeforeAnythingIsAsked(string option, string value)
    {
        Assert.Equal(ExitCode.Usage, await _cli.RunAsync("host", "drain", "host-a", option, value));
        Assert.Empty(_cli.Fabric.Calls);
    }

    [Fact]
    public async Task OperationShow_Drain_HasItsResult()
    {
        _cli.Fabric.Operations.Add(Drain(OperationOutcome.Failed));
        Ends(_noRoom);

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("operation", "show", "op-1", "-o", "json"));

        Assert.Contains("\"kind\":\"drain\",\"vm\":null,\"source\":\"host-a\",\"destination\":null", _cli.Out, StringComparison.Ordinal);
        Assert.Contains("\"result\":{\"operation\":\"op-1\",\"host\":\"host-a\",\"outcome\":\"failed\"", _cli.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OperationShow_Checkpoint_HasItsResult()
    {
        _cli.Fabric.Operations.Add(Samples.Operation("op-1", OperationOutcome.Succeeded) with { Kind = OperationKinds.Checkpoint });
        _cli.Fabric.Checkpoint = Samples.Checkpoint;

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("operation", "show", "op-1"));

        Assert.Matches("Package: +warm\n", _cli.Out);
    }

    [Fact]
    public async Task OperationWatch_Drain_WatchesTheDrain()
    {
        _cli.Fabric.Operations.Add(Drain(OperationOutcome.Running));
        Ends(_success);

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("operation", "watch", "op-1"));

        Assert.Contains("Host host-a is empty and cordoned", _cli.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OperationCancel_Drain_CancelsTheDrain()
    {
        _cli.Fabric.Operations.Add(Drain(OperationOutcome.Running));

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("operation", "cancel", "op-1"));

        Assert.Equal(["cancel drain op-1"], _cli.Fabric.Calls);
    }

    [Fact]
    public async Task OperationList_Running_AsksForThoseOnly()
    {
        _cli.Fabric.Operations.Add(Drain(OperationOutcome.Running));

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("operation", "list", "--running", "--limit", "5"));

        Assert.Equal(["operations vm= limit=5 running"], _cli.Fabric.Calls);
        Assert.Contains("op-1  drain  -   host-a  -", _cli.Out, StringComparison.Ordinal);
    }

    private static OperationInfo Drain(OperationOutcome outcome) =>
        Samples.Operation("op-1", outcome) with { Kind = OperationKinds.Drain, Vm = null, Destination = null, Epoch = 0 };

    private void Ends(DrainResult result) => _cli.Fabric.DrainReports.Add(new DrainProgress(99, result.TotalMs, result.Vms, result));
}
