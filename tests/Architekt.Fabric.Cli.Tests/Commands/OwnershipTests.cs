using System.Text;
using Architekt.Fabric.Cli.Tests.Fakes;

namespace Architekt.Fabric.Cli.Tests.Commands;

public sealed class OwnershipTests : IDisposable
{
    private readonly TestCli _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task VmOwner_WithLease_ShowsHostEpochLeaseAndSince()
    {
        _cli.Fabric.Owner = new VmOwner(
            "redis", "host-a", 3, VmState.Running, Samples.Start, null, VmAvailability.Failover, Samples.Start.AddSeconds(12), 12_340, VmRestart.OnFailure, 2);

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("vm", "owner", "redis"));

        foreach (var said in new[] { "host-a", "3", "failover", "(in 12.3 s)", "on-failure", "2 in a row" })
            Assert.Contains(said, _cli.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VmOwner_NobodyOwnsIt_SaysSo()
    {
        _cli.Fabric.Owner = new VmOwner("redis", null, 4, VmState.Lost, Samples.Start, null, VmAvailability.Normal, null, null, VmRestart.Never, 0);
        await _cli.RunAsync("vm", "owner", "redis");
        Assert.Contains("nobody", _cli.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("Lease", _cli.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VmHistory_Json_HasEveryChange()
    {
        _cli.Fabric.History.Add(new OwnershipEntry(1, Samples.Start, "redis", 1, "host-a", OwnershipChange.Created, null, null));
        _cli.Fabric.History.Add(new OwnershipEntry(2, Samples.Start, "redis", 2, "host-b", OwnershipChange.FailedOver, null, "the lease of host host-a has run out"));
        await _cli.RunAsync("vm", "history", "redis", "-o", "json");
        Assert.Contains("\"change\":\"failedOver\"", _cli.Out, StringComparison.Ordinal);
        Assert.Contains("\"change\":\"created\"", _cli.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DeclareDead_NoTerminalAndNoYes_IsRefusedAndDoesNothing()
    {
        Assert.NotEqual(ExitCode.Ok, await _cli.RunAsync("host", "declare-dead", "host-b"));
        Assert.Contains("--yes", _cli.Error, StringComparison.Ordinal);
        Assert.Empty(_cli.Fabric.Calls);
    }

    [Theory]
    [InlineData("host-b\n", true)]
    [InlineData("host-a\n", false)]
    [InlineData("", false)]
    public async Task DeclareDead_OnATerminal_TakesTheNameForYes(string typed, bool isDone)
    {
        _cli.HasInputTerminal = true;
        _cli.Input = new MemoryStream(Encoding.UTF8.GetBytes(typed));
        _cli.Fabric.Vms.Add(Samples.Vm("redis", VmState.Unknown, "host-b"));

        var code = await _cli.RunAsync("host", "declare-dead", "host-b");

        Assert.Contains("redis", _cli.Error, StringComparison.Ordinal);
        Assert.Equal(isDone, code == ExitCode.Ok);
        Assert.Equal(isDone ? ["declare host-b dead"] : [], _cli.Fabric.Calls);
    }

    [Fact]
    public async Task DeclareDead_Yes_SaysWhatIsLostAndWhatGoesOn()
    {
        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("host", "declare-dead", "host-b", "--yes"));
        Assert.Contains("one, two", _cli.Out, StringComparison.Ordinal);
        Assert.Equal(["declare host-b dead"], _cli.Fabric.Calls);
    }

    [Theory]
    [InlineData("", VmRestart.Never, VmAvailability.Normal)]
    [InlineData("--restart on-failure", VmRestart.OnFailure, VmAvailability.Normal)]
    [InlineData("--availability failover", VmRestart.OnFailure, VmAvailability.Failover)]
    [InlineData("--availability failover --restart never", VmRestart.Never, VmAvailability.Failover)]
    public async Task VmRun_Policies_AreInTheSpecification(string options, VmRestart restart, VmAvailability availability)
    {
        Assert.Equal(ExitCode.Ok, await _cli.RunAsync(["vm", "run", "redis", "--package", "p", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]));
        Assert.Equal((restart, availability), (_cli.Fabric.Spec!.Restart, _cli.Fabric.Spec.Availability));
    }
}
