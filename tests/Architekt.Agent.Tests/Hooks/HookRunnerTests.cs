using System.Diagnostics;
using Architekt.Agent.Hooks;
using Architekt.AgentProtocol;

namespace Architekt.Agent.Tests.Hooks;

public sealed class HookRunnerTests
{
    private static readonly TimeSpan _long = TimeSpan.FromSeconds(60);

    [Fact]
    public void Run_Success_GivesBothStreams()
    {
        var result = HookRunner.Run("echo out; echo err >&2", "ping", _long);

        Assert.Equal(new HookResult(HookOutcome.Exited, 0, "out", "err"), result);
    }

    [Fact]
    public void Run_MuchOutput_IsCutAndDoesNotBlockTheHook()
    {
        var result = HookRunner.Run("head -c 1000000 /dev/zero | tr '\\0' x; exit 5", "ping", _long);

        Assert.Equal((HookOutcome.Exited, 5), (result.Outcome, result.ExitCode));
        Assert.Equal(new string('x', AgentLimits.MaxOutputCharacters), result.Output);
    }

    [Fact]
    public void Run_TooLong_KillsItAndItsChildren()
    {
        // The first thing the hook says is the id of a child that would outlive a killed shell.
        var result = HookRunner.Run("sleep 3600 & echo $!; wait", "ping", TimeSpan.FromMilliseconds(500));

        Assert.Equal(HookOutcome.TimedOut, result.Outcome);
        var child = int.Parse(result.Output);
        Assert.True(SpinWait.SpinUntil(() => !IsRunning(child), TimeSpan.FromSeconds(10)), "the hook's child still runs");
    }

    [Fact]
    public void Run_LeavesADaemonBehind_DoesNotWaitForIt()
    {
        var clock = Stopwatch.StartNew();

        var result = HookRunner.Run("sleep 20 & echo $!", "ping", _long);

        Assert.Equal(HookOutcome.Exited, result.Outcome);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 15);
        using var daemon = Process.GetProcessById(int.Parse(result.Output));
        daemon.Kill();
    }

    [Fact]
    public void Run_ReadsStandardInput_FindsItEmpty() => Assert.Equal("0", HookRunner.Run("wc -c", "ping", _long).Output);

    private static bool IsRunning(int id)
    {
        // A killed child may stay a zombie when nobody in this sandbox collects it.
        var status = Path.Combine("/proc", id.ToString(), "stat");
        try
        {
            return File.ReadAllText(status).Split(") ")[1][0] != 'Z';
        }
        catch (IOException)
        {
            return false;
        }
    }
}
