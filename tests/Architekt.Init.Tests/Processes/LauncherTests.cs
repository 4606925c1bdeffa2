using System.Diagnostics;

namespace Architekt.Init.Tests.Processes;

/// <summary>The executable's other use, as a process: becoming another program.</summary>
public sealed class LauncherTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Program_RunsAsItsUser_InItsFolder_WithItsEnvironment()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can become another user");
        var (code, output) = await RunAsync("exec", "65534", "65533", "65531,65532", "/usr", "sh", "-c", "id -u; id -G; pwd; echo \"$GREETING\"; umask; exit 7");
        Assert.Equal(7, code);
        Assert.Equal("65534\n65533 65531 65532\n/usr\nhello world\n0022\n", output);
    }

    [Fact]
    public async Task Program_HasNothingOfTheRuntimesSignals()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can set groups");
        var (_, output) = await RunAsync("exec", "0", "0", "", "/", "cat", "/proc/self/status");
        Assert.Contains("SigIgn:\t0000000000000000", output, StringComparison.Ordinal);
        Assert.Contains("SigBlk:\t0000000000000000", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("there-is-no-such-program", 127, "No such file")]
    [InlineData("/etc/passwd", 126, "Permission denied")]
    public async Task ProgramThatCannotBeRun_IsNamed_WithTheShellsExitCode(string program, int expected, string reason)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can set groups");
        var (code, output) = await RunAsync("exec", "0", "0", "", "/", program);
        Assert.Equal(expected, code);
        Assert.StartsWith($"architekt: {program}: ", output, StringComparison.Ordinal);
        Assert.Contains(reason, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FolderThatIsNotThere_IsNamed()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can set groups");
        var (code, output) = await RunAsync("exec", "0", "0", "", "/no/such/folder", "true");
        Assert.Equal(126, code);
        Assert.Contains("/no/such/folder", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnyOtherUse_IsExplained() => Assert.Equal(2, (await RunAsync()).Code);

    private static async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "architekt-init"), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["GREETING"] = "hello world";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(Cancellation);
        await process.StandardError.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);
        return (process.ExitCode, await output);
    }
}
