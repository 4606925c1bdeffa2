using System.Diagnostics;
using CsCheck;

namespace Architekt.Fabric.Processes.Tests;

public sealed class ProcessIdentityTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void ToString_AnyIdentity_IsReadBackByParse()
        => Gen.Select(Gen.Int[1, int.MaxValue], Gen.Long[0, long.MaxValue]).Sample((pid, ticks) =>
        {
            var identity = new ProcessIdentity(pid, ticks);
            return ProcessIdentity.Parse($" {identity}\n") == identity;
        });

    [Theory]
    [InlineData("")]
    [InlineData("12")]
    [InlineData("0:12")]
    [InlineData("-1:12")]
    [InlineData("1:2:3")]
    [InlineData("x:1")]
    public void Parse_AnythingElse_IsRefused(string text) => Assert.Throws<FormatException>(() => ProcessIdentity.Parse(text));

    [Fact]
    public void ParseStat_AnyName_FindsStateAndStartTime()
        => Gen.Select(Gen.String[Gen.Char[" ()abS1Z\t"], 0, 15], Gen.Long[0, long.MaxValue]).Sample((name, ticks) =>
        {
            var before = string.Join(' ', Enumerable.Range(4, 18));
            return ProcessStat.Parse($"42 ({name}) R {before} {ticks} 23 24\n") == new ProcessStat('R', ticks);
        });

    [Fact]
    public void Current_IsAlive_AndStartedBeforeNow()
    {
        Assert.True(ProcessIdentity.Current.IsAlive());
        Assert.Equal(Environment.ProcessId, ProcessIdentity.Current.Pid);
        Assert.NotEqual(0, ProcessIdentity.Current.StartTicks);
    }

    [Fact]
    public void Of_NoSuchProcess_Throws() => Assert.Throws<InvalidOperationException>(() => ProcessIdentity.Of(int.MaxValue));

    [Fact]
    public async Task Of_ProgramWithSpacesAndParenthesisInItsName_IsAlive()
    {
        using var folder = new TemporaryFolder();
        var program = folder.File("a b) S 1");
        File.Copy(ExecutablePath.Require("sleep"), program);
        using var process = Process.Start(program, ["1000"]);

        var identity = ProcessIdentity.Of(process.Id);

        Assert.True(identity.IsAlive());
        Assert.True(identity.Kill(ProcessSignal.Kill));
        await process.WaitForExitAsync(Token);
        Assert.False(identity.IsAlive());
    }

    [Fact]
    public async Task Kill_NumberNowBelongsToALaterProcess_LeavesItAlone()
    {
        using var process = Process.Start("sleep", ["1000"]);
        var running = ProcessIdentity.Of(process.Id);
        var earlier = running with { StartTicks = running.StartTicks - 1 };

        Assert.False(earlier.IsAlive());
        Assert.False(earlier.Kill(ProcessSignal.Kill));
        Assert.True(await earlier.WaitForExitAsync(TimeSpan.Zero, Token));
        Assert.True(running.IsAlive());

        Assert.True(running.Kill(ProcessSignal.Terminate));
        Assert.True(await running.WaitForExitAsync(Eventually.Limit, Token));
        Assert.False(running.Kill(ProcessSignal.Terminate));
    }

    [Fact]
    public async Task WaitForExitAsync_ProcessStaysAlive_IsFalseAfterTheTime()
    {
        using var process = Process.Start("sleep", ["1000"]);
        var identity = ProcessIdentity.Of(process.Id);

        Assert.False(await identity.WaitForExitAsync(TimeSpan.FromMilliseconds(20), Token));

        identity.Kill(ProcessSignal.Kill);
        Assert.True(await identity.WaitForExitAsync(Timeout.InfiniteTimeSpan, Token));
    }

    [Fact]
    public async Task WaitForExitAsync_Cancelled_ThrowsAndLeavesTheProcess()
    {
        using var process = Process.Start("sleep", ["1000"]);
        var identity = ProcessIdentity.Of(process.Id);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var wait = identity.WaitForExitAsync(Timeout.InfiniteTimeSpan, cancel.Token);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
        Assert.True(identity.IsAlive());
        identity.Kill(ProcessSignal.Kill);
        Assert.True(await identity.WaitForExitAsync(Eventually.Limit, Token));
    }

    [Fact]
    public async Task IsAlive_ProcessEndedButNobodyWaitedForIt_IsFalse()
    {
        using var folder = new TemporaryFolder();

        // The shell turns into `sleep`, which never waits for the child it got that way.
        using var parent = Process.Start("sh", ["-c", $"sleep 1000 & echo $! >{folder.File("child")}; exec sleep 1000"]);
        var child = ProcessIdentity.Of(await Eventually.ReadPidAsync(folder.File("child")));
        await Eventually.TrueAsync(() => File.ReadAllText($"/proc/{parent.Id}/comm") == "sleep\n", "the parent to be `sleep`");

        Assert.True(child.Kill(ProcessSignal.Kill));

        Assert.True(await child.WaitForExitAsync(Eventually.Limit, Token));
        Assert.True(Directory.Exists($"/proc/{child.Pid}"));
        Assert.False(child.IsAlive());
        parent.Kill();
        await parent.WaitForExitAsync(Token);
    }
}
