namespace Architekt.Fabric.Qemu.Tests.Processes;

/// <summary>Starting, watching and ending, with small programs in QEMU's place.</summary>
public sealed class QemuProcessTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task WaitForExit_ExitCode_IsGiven()
    {
        await using var process = Shell("exit 7");
        Assert.Equal(7, await process.WaitForExitAsync(Deadline.After(20)));
        Assert.Equal(7, process.ExitCode);
        Assert.False(process.Identity.IsAlive());
    }

    [Fact]
    public async Task Kill_Running_Is137()
    {
        await using var process = Shell("exec sleep 1000");
        Assert.False(process.HasExited);
        Assert.True(process.Identity.IsAlive());
        process.Kill();
        Assert.Equal(128 + 9, await process.WaitForExitAsync(Deadline.After(20)));
        process.Kill();
    }

    [Fact]
    public async Task Dispose_Running_KillsAndReaps()
    {
        var process = Shell("exec sleep 1000");
        await process.DisposeAsync();
        Assert.False(Directory.Exists($"/proc/{process.Pid}"));
        process.Kill();
    }

    [Fact]
    public async Task Start_Environment_ReachesTheProgram()
    {
        await using var process = Shell("echo \"$GREETING\" >&2", options => options with { Environment = new Dictionary<string, string> { ["GREETING"] = "a b,c=d" } });
        await process.WaitForExitAsync(Deadline.After(20));
        Assert.Equal("a b,c=d", process.ReadStandardErrorTail());
    }

    [Fact]
    public async Task Start_TwoRunsOneFile_TailIsOfThisRunOnly()
    {
        await using (var first = Shell("echo first >&2")) await first.WaitForExitAsync(Deadline.After(20));
        await using var second = Shell("for i in $(seq 30); do echo line $i; done");
        await second.WaitForExitAsync(Deadline.After(20));
        var lines = second.ReadStandardErrorTail().Split('\n');
        Assert.Equal(20, lines.Length);
        Assert.Equal("line 30", lines[^1]);
        Assert.StartsWith("first\nline 1\n", await File.ReadAllTextAsync(_folder["errors"], TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await using var third = Shell("exit 0");
        await third.WaitForExitAsync(Deadline.After(20));
        Assert.Equal("", third.ReadStandardErrorTail());
    }

    [Fact]
    public async Task Start_NamedDescriptors_ReachTheProgramAndNoOthersDo()
    {
        using var wanted = new TestPipe(closeOnExec: true);
        using var careless = new TestPipe(closeOnExec: false);
        await using var process = Shell("kill -STOP $$", options => options with { InheritedDescriptors = [wanted.Write] });
        var descriptors = await DescriptorsAsync(process.Pid);
        Assert.Equal([0, 1, 2, wanted.Write], descriptors.Keys.Order());
        Assert.Equal(wanted.Target, descriptors[wanted.Write]);
        Assert.Equal("/dev/null", descriptors[0]);
        Assert.Equal(_folder["errors"], descriptors[2]);
    }

    [Fact]
    public async Task Start_ManyAtOnce_NoDescriptorReachesTheWrongChild()
    {
        var pipes = Enumerable.Range(0, 16).Select(i => new TestPipe(closeOnExec: i % 2 == 0)).ToArray();
        var processes = await Task.WhenAll(pipes.Select(pipe => Task.Run(
            () => Shell("kill -STOP $$", options => options with { InheritedDescriptors = [pipe.Write] }), TestContext.Current.CancellationToken)));
        try
        {
            for (var i = 0; i < pipes.Length; i++)
            {
                var descriptors = await DescriptorsAsync(processes[i].Pid);
                Assert.Equal([pipes[i].Target], descriptors.Where(pair => pair.Value.StartsWith("pipe:", StringComparison.Ordinal)).Select(pair => pair.Value));
            }
        }
        finally
        {
            foreach (var process in processes) await process.DisposeAsync();
            foreach (var pipe in pipes) pipe.Dispose();
        }
    }

    [Fact]
    public async Task Start_Signals_AreNeitherIgnoredNorBlockedAndTheSessionIsItsOwn()
    {
        await using var process = Shell("kill -STOP $$");
        await DescriptorsAsync(process.Pid);
        var status = await File.ReadAllLinesAsync($"/proc/{process.Pid}/status", TestContext.Current.CancellationToken);
        // 32 and 33 are glibc's own, which its posix_spawn ignores in every child.
        Assert.Equal(0ul, Signals(status, "SigIgn") & 0x7fff_ffff);
        Assert.Equal(0ul, Signals(status, "SigBlk"));
        var stat = await File.ReadAllTextAsync($"/proc/{process.Pid}/stat", TestContext.Current.CancellationToken);
        Assert.Equal($"{process.Pid} {process.Pid}", string.Join(' ', stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[2..4]));
    }

    [Fact]
    public async Task Start_AsAnotherUser_DropsEverythingAndPassesTheEnvironmentOn()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root, to become somebody else");
        using var wanted = new TestPipe(closeOnExec: true);
        await using var process = Shell("test \"$GREETING\" = hello && kill -STOP $$", options => options with
        {
            UserId = 65534,
            GroupId = 65533,
            SupplementaryGroups = [65532],
            InheritedDescriptors = [wanted.Read],
            Environment = new Dictionary<string, string> { ["GREETING"] = "hello" },
        });
        var descriptors = await DescriptorsAsync(process.Pid);
        Assert.Contains(wanted.Read, descriptors.Keys);
        var status = (await File.ReadAllLinesAsync($"/proc/{process.Pid}/status", TestContext.Current.CancellationToken))
            .Select(line => line.Split('\t', 2)).ToDictionary(parts => parts[0], parts => parts[^1].Trim());
        Assert.Equal("65534\t65534\t65534\t65534", status["Uid:"]);
        Assert.Equal("65533\t65533\t65533\t65533", status["Gid:"]);
        Assert.Equal("65532", status["Groups:"]);
        Assert.Equal("0000000000000000", status["CapEff:"]);
        Assert.Equal("1", status["NoNewPrivs:"]);
        Assert.Equal(process.Identity, ProcessIdentity.Find(process.Pid));
    }

    [Fact]
    public void Start_ProgramMissing_NamesTheDebianPackage()
    {
        var exception = Assert.Throws<QemuStartException>(() => QemuProcess.Start(new()
        {
            Binary = "qemu-system-nothing",
            Arguments = [],
            StandardErrorPath = _folder["errors"],
        }));
        Assert.Contains("apt-get install qemu-system-x86", exception.Message, StringComparison.Ordinal);
        Assert.Null(exception.ExitCode);
    }

    [Fact]
    public void Start_ErrorFileCannotBeOpened_SaysWhich()
    {
        var exception = Assert.Throws<QemuStartException>(() => Shell("true", options => options with { StandardErrorPath = _folder["no/such/folder"] }));
        Assert.Contains("no/such/folder", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Start_DescriptorNotOpen_IsAnErrorAndNotALaterSurprise()
    {
        var exception = Assert.Throws<QemuStartException>(() => Shell("true", options => options with { InheritedDescriptors = [900] }));
        Assert.Contains("[900]", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ConnectQmp_EndsBeforeItListens_CarriesExitCodeAndErrors()
    {
        await using var process = Shell("echo 'cannot set up guest memory' >&2; exit 1");
        var exception = await Assert.ThrowsAsync<QemuStartException>(
            () => process.ConnectQmpAsync(_folder["qmp"], TimeProvider.System, Deadline.After(20)));
        Assert.Equal(1, exception.ExitCode);
        Assert.Equal("cannot set up guest memory", exception.StandardError);
        Assert.Contains("cannot set up guest memory", exception.Message, StringComparison.Ordinal);
    }

    private static ulong Signals(string[] status, string name) =>
        Convert.ToUInt64(status.Single(line => line.StartsWith($"{name}:", StringComparison.Ordinal))[8..], 16);

    private QemuProcess Shell(string script, Func<QemuProcessOptions, QemuProcessOptions>? change = null)
    {
        var options = new QemuProcessOptions { Binary = "sh", Arguments = ["-c", script], StandardErrorPath = _folder["errors"] };
        return QemuProcess.Start(change?.Invoke(options) ?? options);
    }

    /// <summary>Of a shell that has stopped itself: done with loading, it holds just what it was given.</summary>
    private static async Task<Dictionary<int, string>> DescriptorsAsync(int pid)
    {
        await Deadline.UntilAsync(() => ProcessIdentity.ReadStat(pid) is { State: 'T' });
        return Directory.EnumerateFileSystemEntries($"/proc/{pid}/fd")
            .ToDictionary(path => int.Parse(Path.GetFileName(path)), path => new FileInfo(path).LinkTarget!);
    }
}
