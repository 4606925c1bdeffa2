namespace Architekt.Fabric.Qemu.Tests.Processes;

public sealed class ProcessIdentityTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Find_ThisProcess_IsAliveAndStable()
    {
        var identity = ProcessIdentity.Find(Environment.ProcessId);
        Assert.NotNull(identity);
        Assert.True(identity.IsAlive());
        Assert.Equal(identity, ProcessIdentity.Find(Environment.ProcessId));
    }

    [Fact]
    public async Task Kill_RunningProcess_EndsIt()
    {
        await using var child = Sleep();
        Assert.True(child.Identity.Kill());
        await child.WaitForExitAsync(Deadline.After(20));
        Assert.False(child.Identity.IsAlive());
        Assert.False(child.Identity.Kill());
    }

    [Fact]
    public async Task Kill_PidThatBelongsToAnotherNow_LeavesItAlone()
    {
        await using var child = Sleep();
        // What a runtime folder holds after its process has ended and the pid was given out again.
        var stale = child.Identity with { StartTime = child.Identity.StartTime - 1 };
        Assert.False(stale.IsAlive());
        Assert.False(stale.Kill());
        Assert.True(child.Identity.IsAlive());
        Assert.False(child.HasExited);
    }

    [Fact]
    public async Task IsAlive_DeadButNotReaped_IsFalse()
    {
        var pid = ChildProcess.Spawn(QemuBinary.FindInPath("true")!, [], new Dictionary<string, string>(), [], _folder["errors"]);
        try
        {
            await Deadline.UntilAsync(() => ProcessIdentity.ReadStat(pid) is { State: 'Z' });
            var identity = new ProcessIdentity(pid, ProcessIdentity.ReadStat(pid)!.Value.StartTime);
            Assert.Null(ProcessIdentity.Find(pid));
            Assert.False(identity.IsAlive());
            Assert.False(identity.Kill());
        }
        finally
        {
            Assert.Equal(pid, Libc.WaitPid(pid, out _, 0));
        }
    }

    [Fact]
    public void Parse_NameWithParenthesesAndSpaces_FindsTheRightField()
    {
        var stat = ProcessStat.Parse("4711 (evil) S 1 (2) ) R 1 4711 4711 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2");
        Assert.Equal(new ProcessStat('R', 987654), stat);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1 (x) R 1 2")]
    [InlineData("no parenthesis")]
    public void Parse_NotAStatLine_IsNull(string text) => Assert.Null(ProcessStat.Parse(text));

    [Fact]
    public void Find_NoSuchProcess_IsNull() => Assert.Null(ProcessIdentity.Find(int.MaxValue));

    private QemuProcess Sleep() => QemuProcess.Start(new() { Binary = "sleep", Arguments = ["1000"], StandardErrorPath = _folder["errors"] });
}
