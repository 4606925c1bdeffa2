using Architekt.Fabric.Cli.Tests.Fakes;
using Architekt.Fabric.Client;

namespace Architekt.Fabric.Cli.Tests.Commands;

public sealed class PackageTests : IDisposable
{
    private readonly TestCli _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task PackageCreate_AllOptions_ReachTheFabric()
    {
        _cli.Fabric.Checkpoint = Samples.Checkpoint;

        Assert.Equal(
            ExitCode.Ok,
            await _cli.RunAsync(
                "package", "create", "--from", "guest", "--name", "warm", "--host", "host-a", "--timeout", "90s", "--vcpus", "2", "--memory", "512M",
                "--append", "quiet", "--ip", "10.0.0.5/24", "--guest-gateway", "10.0.0.1"));

        Assert.Equal(
            new PackageRecipe("guest", "warm", "host-a")
            {
                Timeout = TimeSpan.FromSeconds(90),
                Vcpus = 2,
                MemoryBytes = 512L << 20,
                KernelArguments = "quiet",
                Address = "10.0.0.5/24",
                Gateway = "10.0.0.1",
            },
            _cli.Fabric.Recipe);
        Assert.Contains("Package:  warm", _cli.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VmCheckpoint_Succeeds_PrintsThePackage()
    {
        _cli.Fabric.Checkpoint = Samples.Checkpoint;

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("vm", "checkpoint", "redis", "--package", "warm", "--operation", "mine"));

        Assert.Equal(["checkpoint redis as warm keep=True operation=mine"], _cli.Fabric.Calls);
        Assert.Contains("Pause:    21.5 ms", _cli.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VmCheckpoint_StopJson_IsOneObject()
    {
        _cli.Fabric.Checkpoint = Samples.Checkpoint with { PauseMs = null };

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("vm", "checkpoint", "redis", "--package", "warm", "--stop", "-o", "json"));

        Assert.Equal(["checkpoint redis as warm keep=False operation=?"], _cli.Fabric.Calls);
        Assert.StartsWith("{\"operation\":\"op-1\",\"vm\":\"redis\",\"host\":\"host-a\",\"packageName\":\"warm\",\"outcome\":\"succeeded\"", _cli.Out, StringComparison.Ordinal);
        Assert.Contains("\"pauseMs\":null", _cli.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VmCheckpoint_Vetoed_Exits4WithTheReason()
    {
        _cli.Fabric.Checkpoint = Samples.Checkpoint with
        {
            Outcome = OperationOutcome.Failed,
            ErrorCode = FabricErrorCode.Refused,
            Reason = "the agent said no",
            Package = null,
        };

        Assert.Equal(ExitCode.Conflict, await _cli.RunAsync("vm", "checkpoint", "redis", "--package", "warm"));

        Assert.Equal("fabric: Package 'warm' was not made of VM 'redis' on host-a: the agent said no\n", _cli.Error);
        Assert.Equal("", _cli.Out);
    }

    [Fact]
    public async Task OperationCancel_Checkpoint_CancelsTheCheckpoint()
    {
        _cli.Fabric.Operations.Add(Samples.Operation() with { Kind = OperationKinds.Checkpoint });

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("operation", "cancel", "op-1"));

        Assert.Equal(["cancel checkpoint op-1"], _cli.Fabric.Calls);
    }

    [Fact]
    public async Task OperationWatch_Checkpoint_PrintsItsResult()
    {
        _cli.Fabric.Operations.Add(Samples.Operation() with { Kind = OperationKinds.Checkpoint });
        _cli.Fabric.Checkpoint = Samples.Checkpoint;

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("operation", "watch", "op-1", "-q"));

        Assert.Equal("warm\n", _cli.Out);
    }

    [Fact]
    public async Task VmStart_Wait_BootsItAndWaits()
    {
        _cli.Fabric.Vms.Add(Samples.Vm());

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("vm", "start", "redis", "--wait", "--timeout", "90s"));

        Assert.Equal(["start redis", "wait redis Running 00:01:30"], _cli.Fabric.Calls);
    }

    [Fact]
    public async Task VmRun_FromAPackage_TakesAddressAndFill()
    {
        await _cli.RunAsync("vm", "run", "redis", "--package", "warm", "--ip", "10.0.0.5/24", "--guest-gateway", "10.0.0.1", "--fill", "now");

        Assert.Equal(new VmSpec("redis", "warm", Address: "10.0.0.5/24", Gateway: "10.0.0.1", Fill: FillMode.Now), _cli.Fabric.Spec);
        Assert.Equal(ExitCode.Usage, await _cli.RunAsync("vm", "run", "redis", "--package", "warm", "--fill", "later"));
    }

    [Fact]
    public async Task VmShow_ResumedVm_SaysHowMuchItHolds()
    {
        _cli.Fabric.Vms.Add(Samples.Vm());
        _cli.Fabric.Usage = new VmUsage(42 << 20, new VmFill("filling", "idle", 10 << 20, 100 << 20, 7));

        await _cli.RunAsync("vm", "show", "redis");
        Assert.Contains("Resident:     42 MiB", _cli.Out, StringComparison.Ordinal);
        Assert.Contains("Fill:         filling (idle), 10 MiB of 100 MiB, 7 pages on demand", _cli.Out, StringComparison.Ordinal);

        await _cli.RunAsync("vm", "show", "redis", "-o", "json");
        Assert.Contains("\"usage\":{\"residentBytes\":44040192,\"fill\":{\"state\":\"filling\"", _cli.Out, StringComparison.Ordinal);
    }
}
