using Architekt.Fabric.Cli.Tests.Fakes;

namespace Architekt.Fabric.Cli.Tests.Commands;

public sealed class VmLifecycleTests : IDisposable
{
    private readonly TestCli _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task VmRun_AllOptions_ReachTheFabric()
    {
        Assert.Equal(
            ExitCode.Ok,
            await _cli.RunAsync(
                "vm", "run", "redis", "--package", "guest", "--host", "host-a", "--vcpus", "2", "--memory", "512M", "--mac", "52:54:00:00:00:02",
                "--append", "ip=10.0.0.5 quiet", "--no-network"));

        Assert.Equal(new VmSpec("redis", "guest", "host-a", 2, 512L << 20, "52:54:00:00:00:02", "ip=10.0.0.5 quiet", HasNetwork: false), _cli.Fabric.Spec);
    }

    [Fact]
    public async Task VmRun_NoOptions_LeavesTheChoiceToTheFabric()
    {
        await _cli.RunAsync("vm", "run", "redis", "--package", "guest");

        Assert.Equal(new VmSpec("redis", "guest"), _cli.Fabric.Spec);
        Assert.DoesNotContain(_cli.Fabric.Calls, call => call.StartsWith("wait", StringComparison.Ordinal));
    }

    [Fact]
    public async Task VmRun_Wait_WaitsUntilItRuns()
    {
        _cli.Fabric.Vms.Add(Samples.Vm());

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("vm", "run", "redis", "--package", "guest", "--wait", "--timeout", "90s"));

        Assert.Equal(["wait redis Running 00:01:30"], _cli.Fabric.Calls);
        Assert.Contains("State:        running", _cli.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VmWait_Timeout_Exits5() => Assert.Equal(ExitCode.Timeout, await _cli.RunAsync("vm", "wait", "redis", "--for", "stopped", "--timeout", "1s"));

    [Fact]
    public async Task VmStop_GuestShutsDown_WaitsForIt()
    {
        _cli.Fabric.Vms.Add(Samples.Vm(state: VmState.Stopped));

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("vm", "stop", "redis"));

        Assert.Equal(["stop redis force=False", "wait redis Stopped 00:01:00"], _cli.Fabric.Calls);
    }

    [Fact]
    public async Task VmStop_GuestDoesNotShutDown_Exits5AndTellsOfForce()
    {
        Assert.Equal(ExitCode.Timeout, await _cli.RunAsync("vm", "stop", "redis", "--timeout", "2s"));

        Assert.Equal(
            "fabric: VM 'redis' was asked to shut down and has not done so within 2.00 s; end it with: fabric vm stop redis --force\n", _cli.Error);
    }

    [Fact]
    public async Task VmStop_Force_DoesNotWait()
    {
        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("vm", "stop", "redis", "--force"));

        Assert.Equal(["stop redis force=True"], _cli.Fabric.Calls);
    }

    [Fact]
    public async Task VmDelete_Force_ReachesTheFabric()
    {
        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("vm", "delete", "redis", "--force", "-o", "json"));

        Assert.Equal(["delete redis force=True"], _cli.Fabric.Calls);
        Assert.Equal("{\"name\":\"redis\",\"done\":\"deleted\"}\n", _cli.Out);
    }
}
