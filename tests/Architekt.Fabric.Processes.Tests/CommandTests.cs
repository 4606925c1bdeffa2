namespace Architekt.Fabric.Processes.Tests;

public sealed class CommandTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Task<CommandResult> ShellAsync(string script, CommandOptions? options = null, CancellationToken? token = null)
        => Command.RunAsync("sh", ["-c", script], options, token ?? Token);

    [Fact]
    public async Task RunAsync_ToolThatWritesAndFails_ReturnsAllOfIt()
    {
        var result = await ShellAsync("echo out; echo err >&2; exit 7");

        Assert.Equal(new CommandResult(7, "out\n", "err\n"), result);
        Assert.False(result.Succeeded);
    }

    [Fact]
    public async Task RunAsync_ArgumentsWithSpacesAndQuotes_ArriveUnchanged()
    {
        string[] args = ["a b", "", "it's", "\"$HOME\"", "é"];

        var result = await Command.RunAsync("printf", ["%s\\n", .. args], cancellationToken: Token);

        Assert.Equal(string.Join('\n', args) + "\n", result.StandardOutput);
    }

    [Fact]
    public async Task RunAsync_MoreOutputThanPipesHold_DoesNotBlock()
    {
        const int Bytes = 1 << 20;

        var result = await ShellAsync($"head -c {Bytes} /dev/zero >&2; head -c {Bytes} /dev/zero");

        Assert.Equal((Bytes, Bytes), (result.StandardOutput.Length, result.StandardError.Length));
    }

    [Fact]
    public async Task RunAsync_StandardInput_ReachesTheTool()
    {
        var text = new string('x', 300_000) + "é\n";

        Assert.Equal(text, (await Command.RunAsync("cat", [], new() { StandardInput = text }, Token)).StandardOutput);
    }

    [Fact]
    public async Task RunAsync_ToolThatIgnoresItsInput_Succeeds()
        => Assert.True((await Command.RunAsync("true", [], new() { StandardInput = new string('x', 1 << 20) }, Token)).Succeeded);

    [Fact]
    public async Task RunAsync_NoStandardInput_IsEndOfFile()
        => Assert.Equal("", (await Command.RunAsync("cat", [], cancellationToken: Token)).StandardOutput);

    [Fact]
    public async Task RunAsync_EnvironmentAndFolder_AreThoseOfTheOptions()
    {
        using var folder = new TemporaryFolder();
        var options = new CommandOptions
        {
            WorkingDirectory = folder.Path,
            Environment = new Dictionary<string, string?> { ["ARCHITEKT_TEST"] = "set", ["HOME"] = null },
        };

        var result = await ShellAsync("pwd; echo $ARCHITEKT_TEST; echo ${HOME-unset}", options);

        Assert.Equal($"{folder.Path}\nset\nunset\n", result.StandardOutput);
    }

    [Fact]
    public async Task RunAsync_MissingTool_NamesToolAndPackage()
    {
        var error = await Assert.ThrowsAsync<ToolMissingException>(
            () => Command.RunAsync("architekt-no-such-tool", [], new() { DebianPackage = "no-such-package" }, Token));

        Assert.Equal(("architekt-no-such-tool", "no-such-package"), (error.Tool, error.DebianPackage));
        Assert.Contains("'architekt-no-such-tool'", error.Message, StringComparison.Ordinal);
        Assert.Contains("apt-get install no-such-package", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_MissingFolder_BlamesTheFolderNotTheTool()
    {
        var error = await Assert.ThrowsAsync<DirectoryNotFoundException>(
            () => Command.RunAsync("true", [], new() { WorkingDirectory = "/no/such/folder" }, Token));

        Assert.Contains("'/no/such/folder'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_FileThatCannotBeExecuted_FailsWith126()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("not-a-program");
        await File.WriteAllBytesAsync(file, [0x7f, (byte)'E', (byte)'L', (byte)'F', 0, 0, 0, 0], Token);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        var error = await Assert.ThrowsAsync<CommandFailedException>(() => Command.RunAsync(file, [], cancellationToken: Token));

        Assert.Equal(126, error.ExitCode);
    }

    [Fact]
    public async Task RunCheckedAsync_FailingTool_ThrowsOneSentence()
    {
        var error = await Assert.ThrowsAsync<CommandFailedException>(
            () => Command.RunCheckedAsync("sh", ["-c", "echo 'No such device.' >&2; echo more >&2; exit 3"], cancellationToken: Token));

        Assert.Equal((3, "No such device.\nmore\n"), (error.ExitCode, error.StandardError));
        Assert.Equal("`sh -c 'echo '\\''No such device.'\\'' >&2; echo more >&2; exit 3'` failed with exit code 3: No such device.", error.Message);
    }

    [Fact]
    public async Task RunAsync_Cancelled_KillsTheWholeTree()
    {
        using var folder = new TemporaryFolder();
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var run = ShellAsync($"sleep 1000 & echo $! >{folder.File("child")}; wait", token: cancel.Token);
        var child = ProcessIdentity.Of(await Eventually.ReadPidAsync(folder.File("child")));

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        Assert.True(await child.WaitForExitAsync(Eventually.Limit, Token));
    }

    [Fact]
    public async Task RunAsync_TimedOut_HasEndedTheProcessBeforeItThrows()
    {
        using var folder = new TemporaryFolder();

        var error = await Assert.ThrowsAsync<TimeoutException>(
            () => ShellAsync($"echo $$ >{folder.File("pid")}; trap '' TERM; sleep 1000; :", new() { Timeout = TimeSpan.FromMilliseconds(500) }));

        Assert.Contains("within 0.5 s", error.Message, StringComparison.Ordinal);
        Assert.Null(ProcessIdentity.TryOf(await Eventually.ReadPidAsync(folder.File("pid"))));
    }

    [Fact]
    public async Task RunAsync_CancelledBefore_StartsNothing()
    {
        using var folder = new TemporaryFolder();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ShellAsync($"touch {folder.File("ran")}", token: new CancellationToken(true)));

        Assert.False(File.Exists(folder.File("ran")));
    }
}
