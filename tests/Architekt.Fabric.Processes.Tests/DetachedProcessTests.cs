using System.Diagnostics;

namespace Architekt.Fabric.Processes.Tests;

public sealed class DetachedProcessTests
{
    private static readonly DetachedLauncher _withoutSystemd = new(null, ExecutablePath.Require("setsid"), UserManager: false);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task StartAsync_Process_IsItselfWithOwnSessionNoInputAndTheLogAsOutput()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("log"), "before\n", Token);
        var env = new Dictionary<string, string?> { ["ARCHITEKT_TEST"] = "it's set" };

        var identity = await DetachedProcess.StartAsync(
            _withoutSystemd, "sh", ["-c", "echo \"$ARCHITEKT_TEST in $(pwd) with $1\"; echo error >&2; exec sleep 1000", "sh", "a b"],
            env, folder.Path, folder.File("log"), Token);
        try
        {
            await Eventually.TrueAsync(() => File.ReadAllText($"/proc/{identity.Pid}/comm") == "sleep\n", "the process to be `sleep`");
            var fields = (await File.ReadAllTextAsync($"/proc/{identity.Pid}/stat", Token)).Split(") ")[^1].Split(' ');
            const int Session = 3, Terminal = 4;
            Assert.Equal((identity.Pid.ToString(), "0"), (fields[Session], fields[Terminal]));
            Assert.Equal("/dev/null", File.ResolveLinkTarget($"/proc/{identity.Pid}/fd/0", false)!.FullName);
            Assert.Equal(folder.File("log"), File.ResolveLinkTarget($"/proc/{identity.Pid}/fd/1", false)!.FullName);
            Assert.Equal($"before\nit's set in {folder.Path} with a b\nerror\n", await File.ReadAllTextAsync(folder.File("log"), Token));
        }
        finally
        {
            identity.Kill(ProcessSignal.Kill);
        }

        Assert.True(await identity.WaitForExitAsync(Eventually.Limit, Token));
    }

    [Fact]
    public async Task CommandLine_StarterGetsInterruptedAndKilled_ProcessLivesOn()
    {
        using var folder = new TemporaryFolder();
        var words = _withoutSystemd.CommandLine(ExecutablePath.Require("sleep"), ["1000"], folder.File("log"));
        var script = $"{ShellQuoting.Join(words[0], words.Skip(1))} & echo $! >{folder.File("pid")}; wait";

        // A session of its own stands for the terminal from which a silo was started.
        using var starter = Process.Start("setsid", ["sh", "-c", script]);
        var process = ProcessIdentity.Of(await Eventually.ReadPidAsync(folder.File("pid")));
        try
        {
            await Eventually.TrueAsync(() => File.ReadAllText($"/proc/{process.Pid}/comm") == "sleep\n", "the process to be `sleep`");
            await Command.RunCheckedAsync("kill", ["-INT", "--", $"-{starter.Id}"], cancellationToken: Token);
            await Command.RunAsync("kill", ["-KILL", "--", $"-{starter.Id}"], cancellationToken: Token);
            await starter.WaitForExitAsync(Token);

            Assert.True(process.IsAlive());
        }
        finally
        {
            process.Kill(ProcessSignal.Kill);
        }
    }

    [Fact]
    public async Task StartAsync_ProgramThatEndsAtOnce_ThrowsWithItsWords()
    {
        using var folder = new TemporaryFolder();
        var launcher = _withoutSystemd with { Setsid = folder.File("failing-setsid") };
        await WriteScriptAsync(launcher.Setsid, "#!/bin/sh\necho 'no session for you' >>\"$5\"\nexit 3\n");

        var error = await Assert.ThrowsAsync<CommandFailedException>(
            () => DetachedProcess.StartAsync(launcher, "sleep", ["1000"], null, null, folder.File("log"), Token));

        Assert.Equal((3, "no session for you\n"), (error.ExitCode, error.StandardError));
    }

    [Fact]
    public async Task StartAsync_MissingProgram_Throws()
    {
        using var folder = new TemporaryFolder();

        await Assert.ThrowsAsync<ToolMissingException>(
            () => DetachedProcess.StartAsync("architekt-no-such-tool", [], null, null, folder.File("log"), Token));
    }

    [Fact]
    public async Task StartAsync_WithSystemd_GoesThroughATransientScope()
    {
        // Stands in for systemd-run, which also execs the command it was given; a real one needs a machine that systemd has booted.
        using var folder = new TemporaryFolder();
        var launcher = _withoutSystemd with { SystemdRun = folder.File("systemd-run") };
        await WriteScriptAsync(
            launcher.SystemdRun, $"#!/bin/sh\necho \"$@\" >{folder.File("asked")}\nwhile [ \"$1\" != -- ]; do shift; done; shift\nexec \"$@\"\n");

        var identity = await DetachedProcess.StartAsync(launcher, "sleep", ["1000"], null, null, folder.File("log"), Token);
        try
        {
            Assert.Equal("sleep\n", await File.ReadAllTextAsync($"/proc/{identity.Pid}/comm", Token));
            Assert.Matches("^--scope --collect --quiet --unit=architekt-sleep-[0-9a-f]{32} -- ", await File.ReadAllTextAsync(folder.File("asked"), Token));
        }
        finally
        {
            identity.Kill(ProcessSignal.Kill);
        }
    }

    private static async Task WriteScriptAsync(string file, string content)
    {
        await File.WriteAllTextAsync(file, content, Token);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
