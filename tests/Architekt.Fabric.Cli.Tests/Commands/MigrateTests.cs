using Architekt.Fabric.Cli.Tests.Fakes;

namespace Architekt.Fabric.Cli.Tests.Commands;

public sealed class MigrateTests : IDisposable
{
    private static readonly string[] _migrate = ["vm", "migrate", "redis", "--to", "host-b"];
    private readonly TestCli _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task VmMigrate_Succeeds_PrintsProgressLinesAndASummary()
    {
        _cli.Fabric.Reports.AddRange(
        [
            Samples.Progress(1, MigrationPhase.Check, rounds: 0),
            Samples.Progress(2, rounds: 1),
            Samples.Progress(3, rounds: 1),
            Samples.Progress(4, rounds: 2, message: "The guest writes more than fits."),
            Samples.Progress(5, MigrationPhase.Done, rounds: 4, result: Samples.Success(verified: true)),
        ]);

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync([.. _migrate, "--verify"]));

        Assert.Equal(
            """
            VM 'redis' moved from host-a to host-b, epoch 2.
            pause 5.2 ms, total 1.24 s, 4 rounds, 132.2 MiB sent (memory 127 MiB, disk 5 MiB, state 205 KiB), memory verified

            """,
            _cli.Out);
        Assert.Equal(
            """
            check       100 ms  round 0  132.2 MiB sent  1.5 GiB/s  guest writes 3 MiB/s  1 MiB to go
            copy        200 ms  round 1  132.2 MiB sent  1.5 GiB/s  guest writes 3 MiB/s  1 MiB to go
            copy        400 ms  round 2  132.2 MiB sent  1.5 GiB/s  guest writes 3 MiB/s  1 MiB to go  The guest writes more than fits.
            done        500 ms  round 4  132.2 MiB sent  1.5 GiB/s  guest writes 3 MiB/s  1 MiB to go

            """,
            _cli.Error);
    }

    [Fact]
    public async Task VmMigrate_DestinationPullsThePackage_ShowsHowFarItIs()
    {
        var prepare = Samples.Progress(1, MigrationPhase.Prepare, rounds: 0) with { Transfer = TransferCounters.None, BytesPerSecond = 0, DirtyBytesPerSecond = 0, RemainingBytes = 0 };
        _cli.Fabric.Reports.AddRange(
        [
            prepare with { PulledBytes = 50 << 20, PackageBytes = 115 << 20 },
            Samples.Progress(2, MigrationPhase.Done, result: Samples.Success()),
        ]);

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync(_migrate));

        Assert.StartsWith($"prepare     100 ms  package 50 MiB of 115 MiB pulled{Environment.NewLine}", _cli.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VmMigrate_Json_IsExactlyOneResultObject()
    {
        _cli.Fabric.Reports.Add(Samples.Progress(1));
        _cli.Fabric.Reports.Add(Samples.Progress(2, MigrationPhase.Done, result: Samples.Success(verified: true)));

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync([.. _migrate, "-o", "json"]));

        Assert.Equal("", _cli.Error);
        Assert.Equal(
            "{\"operation\":\"op-1\",\"vm\":\"redis\",\"from\":\"host-a\",\"to\":\"host-b\",\"runsOn\":\"host-b\",\"epoch\":2,\"outcome\":\"succeeded\"," +
            "\"failedPhase\":null,\"errorCode\":null,\"reason\":null,\"totalMs\":1240.123,\"pauseMs\":5.235," +
            "\"phases\":{\"check\":1.25,\"copy\":1100.5,\"rollBack\":0},\"rounds\":4," +
            "\"bytes\":{\"memory\":133169152,\"zero\":52428800,\"skipped\":83886080,\"base\":0,\"disk\":5242880,\"state\":209920,\"lastRound\":40960,\"onWire\":138621952}," +
            "\"pause\":{\"sourceMs\":3.1,\"lastRoundMs\":1.2,\"diskMs\":0.4,\"stateMs\":1.5,\"loadMs\":1.1,\"commitMs\":0.6,\"runMs\":0.4}," +
            "\"framesCarried\":3,\"verified\":true,\"base\":null}\n",
            _cli.Out);
    }

    [Theory]
    [InlineData(MemoryBase.Package, "package", "96 MiB of memory as in the package")]
    [InlineData(MemoryBase.LastVisit, "lastVisit", "96 MiB of memory as on its last visit")]
    public async Task VmMigrate_DestinationHadMuchOfTheRam_SaysHowMuchAndFromWhere(MemoryBase known, string word, string sentence)
    {
        var result = Samples.Success() with { Base = known, Transfer = Samples.Transfer with { BaseBytes = 96 << 20 } };
        _cli.Fabric.Reports.Add(Samples.Progress(1, MigrationPhase.Done, result: result));

        await _cli.RunAsync(_migrate);
        Assert.Contains(sentence, _cli.Out, StringComparison.Ordinal);

        await _cli.RunAsync([.. _migrate, "-o", "json"]);
        Assert.Contains($"\"base\":\"{word}\"", _cli.Out, StringComparison.Ordinal);
        Assert.Contains("\"base\":100663296", _cli.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VmMigrate_AllOptions_ReachTheFabric()
    {
        _cli.Fabric.Reports.Add(Samples.Progress(2, MigrationPhase.Done, result: Samples.Success()));

        await _cli.RunAsync([
            .. _migrate, "--verify", "--pause-budget", "7ms", "--max-rounds", "9", "--timeout", "2m", "--connections", "4", "--bandwidth", "100M",
            "--operation", "mine"]);

        Assert.Equal(new MigrationOptions(true, 7, 9, 120_000, 4, 100L << 20), _cli.Fabric.Options);
        Assert.Equal(["migrate redis to host-b as mine"], _cli.Fabric.Calls);
    }

    [Fact]
    public async Task VmMigrate_Fails_SaysPhaseWhereaboutsAndNextStep()
    {
        _cli.Fabric.Vms.Add(Samples.Vm());
        _cli.Fabric.Reports.Add(Samples.Progress(1, MigrationPhase.Done, result: Samples.Failure(FabricErrorCode.Unavailable)));

        Assert.Equal(ExitCode.Failed, await _cli.RunAsync(_migrate));

        Assert.Equal("", _cli.Out);
        Assert.EndsWith(
            """
            fabric: The migration of VM 'redis' from host-a to host-b failed in phase 'copy': The peer on host-b died.
            The VM runs on host-a, epoch 1.
            Look at the hosts: fabric host list; then try again: fabric vm migrate redis --to host-b

            """,
            _cli.Error,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task VmMigrate_FailsAndTheVmCannotBeSeen_SaysSo()
    {
        _cli.Fabric.Reports.Add(Samples.Progress(1, MigrationPhase.Done, result: Samples.Failure(FabricErrorCode.Failed)));

        await _cli.RunAsync(_migrate);

        Assert.Contains("The VM belongs to host-a, epoch 1; whether it runs there cannot be seen now.\n", _cli.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VmMigrate_FailsWithJson_PrintsTheResultAndTheError()
    {
        _cli.Fabric.Reports.Add(Samples.Progress(1, MigrationPhase.Done, result: Samples.Failure(FabricErrorCode.Timeout)));

        Assert.Equal(ExitCode.Timeout, await _cli.RunAsync([.. _migrate, "-o", "json"]));

        Assert.Contains("\"outcome\":\"failed\",\"failedPhase\":\"copy\",\"errorCode\":\"timeout\",\"reason\":\"The peer on host-b died.\"", _cli.Out, StringComparison.Ordinal);
        Assert.Equal(1, _cli.Out.Count(character => character == '\n'));
        Assert.StartsWith("{\"error\":{\"code\":\"timeout\",", _cli.Error, StringComparison.Ordinal);
        Assert.Equal(1, _cli.Error.Count(character => character == '\n'));
    }

    [Fact]
    public async Task VmMigrate_Cancelled_Exits7()
    {
        _cli.Fabric.Vms.Add(Samples.Vm());
        _cli.Fabric.Reports.Add(Samples.Progress(1, MigrationPhase.Done, result: Samples.Failure(null, OperationOutcome.Cancelled)));

        Assert.Equal(ExitCode.Cancelled, await _cli.RunAsync(_migrate));
        Assert.Contains("was cancelled in phase 'copy'", _cli.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VmMigrate_Detach_ReturnsAtOnce()
    {
        Assert.Equal(ExitCode.Ok, await _cli.RunAsync([.. _migrate, "--detach"]));

        Assert.Equal("Started operation op-1. Watch it with: fabric operation watch op-1\n", _cli.Out);
    }

    [Fact]
    public async Task VmMigrate_DetachWithJson_PrintsAResultThatRuns()
    {
        Assert.Equal(ExitCode.Ok, await _cli.RunAsync([.. _migrate, "--detach", "-o", "json"]));

        Assert.StartsWith("{\"operation\":\"op-1\",\"vm\":\"redis\",\"from\":\"host-a\",\"to\":\"host-b\",\"runsOn\":null,\"epoch\":2,\"outcome\":\"running\"", _cli.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VmMigrate_CtrlC_DetachesAndSaysHowToWatchAgain()
    {
        _cli.Fabric.Reports.Add(Samples.Progress(1));
        _cli.Fabric.ReportsUsedUp = _cli.Interrupts.Signal;

        Assert.Equal(ExitCode.Cancelled, await _cli.RunAsync(_migrate));

        Assert.EndsWith("Detached; the migration goes on. Watch it again with: fabric operation watch op-1\n", _cli.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(_cli.Fabric.Calls, call => call.StartsWith("cancel", StringComparison.Ordinal));
        Assert.Equal(0, _cli.Exits);
    }

    [Fact]
    public async Task VmMigrate_CtrlCWithJson_StillEndsWithOneObject()
    {
        _cli.Fabric.Reports.Add(Samples.Progress(1));
        _cli.Fabric.ReportsUsedUp = _cli.Interrupts.Signal;

        Assert.Equal(ExitCode.Cancelled, await _cli.RunAsync([.. _migrate, "-o", "json"]));

        Assert.Contains("\"outcome\":\"running\"", _cli.Out, StringComparison.Ordinal);
        Assert.Contains("\"rounds\":1,\"bytes\":{\"memory\":133169152", _cli.Out, StringComparison.Ordinal);
        Assert.Equal("", _cli.Error);
    }

    [Fact]
    public async Task VmMigrate_FabricIsLostWhileWatching_SaysHowToGoOn()
    {
        _cli.Fabric.Reports.Add(Samples.Progress(1));
        _cli.Fabric.WatchFault = FabricException.Unavailable("The fabric cannot be reached now.");

        Assert.Equal(ExitCode.Unreachable, await _cli.RunAsync(_migrate));

        Assert.EndsWith(
            "fabric: The fabric cannot be reached now.\nThe migration may go on. Watch it again with: fabric operation watch op-1\n",
            _cli.Error,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task VmMigrate_FabricIsLostWhileWatchingWithJson_StillEndsWithTheOneObject()
    {
        _cli.Fabric.Reports.Add(Samples.Progress(1));
        _cli.Fabric.WatchFault = FabricException.Unavailable("The fabric cannot be reached now.");

        Assert.Equal(ExitCode.Unreachable, await _cli.RunAsync([.. _migrate, "-o", "json"]));

        Assert.Contains("\"outcome\":\"running\"", Assert.Single(_cli.Out.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
        Assert.Contains("\"code\":\"unavailable\"", _cli.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VmMigrate_Refused_Exits4()
    {
        _cli.Fabric.Fault = new FabricException(FabricErrorCode.Refused, "VM 'redis' is on host 'host-b' already.");

        Assert.Equal(ExitCode.Conflict, await _cli.RunAsync(_migrate));
        Assert.Equal("fabric: VM 'redis' is on host 'host-b' already.\n", _cli.Error);
    }

    [Fact]
    public async Task VmMigrate_Terminal_DrawsOnStandardErrorOnly()
    {
        _cli.IsTerminal = true;
        _cli.Fabric.Reports.Add(Samples.Progress(1, rounds: 2));
        _cli.Fabric.Reports.Add(Samples.Progress(2, MigrationPhase.Done, result: Samples.Success()));

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync(_migrate));

        Assert.StartsWith("VM 'redis' moved from host-a to host-b, epoch 2.\n", _cli.Out, StringComparison.Ordinal);
        Assert.Contains("redis to host-b", _cli.Error, StringComparison.Ordinal);
        Assert.Contains('\u001b', _cli.Error);
    }

    [Fact]
    public async Task OperationWatch_Ended_PrintsTheSameAsMigrate()
    {
        _cli.Fabric.Operations.Add(Samples.Operation());
        _cli.Fabric.Reports.Add(Samples.Progress(2, MigrationPhase.Done, result: Samples.Success()));

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("operation", "watch", "op-1"));

        Assert.StartsWith("VM 'redis' moved from host-a to host-b, epoch 2.\n", _cli.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("watch")]
    [InlineData("show")]
    public async Task Operation_Unknown_Exits3(string verb)
    {
        Assert.Equal(ExitCode.NotFound, await _cli.RunAsync("operation", verb, "op-9"));
        Assert.Equal("fabric: There is no operation 'op-9'.\n", _cli.Error);
    }

    [Fact]
    public async Task OperationCancel_Running_AsksTheFabric()
    {
        _cli.Fabric.Operations.Add(Samples.Operation());

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("operation", "cancel", "op-1"));
        Assert.Equal(["cancel op-1"], _cli.Fabric.Calls);
    }

    [Fact]
    public async Task OperationShow_Ended_ShowsTheResult()
    {
        _cli.Fabric.Operations.Add(Samples.Operation(outcome: OperationOutcome.Succeeded) with { Phase = MigrationPhase.Done, EndedAt = Samples.Start });
        _cli.Fabric.Reports.Add(Samples.Progress(2, MigrationPhase.Done, result: Samples.Success(verified: true)));

        await _cli.RunAsync("operation", "show", "op-1");

        Assert.Equal(
            """
            Id:        op-1
            Kind:      migrate
            VM:        redis
            From:      host-a
            To:        host-b
            Epoch:     2
            Phase:     done
            Outcome:   succeeded
            Started:   2026-01-02T03:03:35Z
            Ended:     2026-01-02T03:04:05Z
            Total:     1.24 s
            Pause:     5.2 ms
            Rounds:    4
            Sent:      132.2 MiB
            Verified:  yes

            """,
            _cli.Out);
    }
}
