using System.ComponentModel;
using System.Diagnostics;

namespace Architekt.Agent.Hooks;

/// <summary>Runs shell commands of the guest's owner.</summary>
internal static class HookRunner
{
    private static readonly TimeSpan _outputGrace = TimeSpan.FromMilliseconds(250);

    /// <summary>Runs a command with sh and waits for its end.</summary>
    /// <param name="command">For <c>sh -c</c>.</param>
    /// <param name="call">The call it runs for; the command sees it as ARCHITEKT_CALL.</param>
    /// <param name="timeout">After this, it and its children are killed.</param>
    internal static HookResult Run(string command, string call, TimeSpan timeout)
    {
        var start = new ProcessStartInfo("/bin/sh")
        {
            ArgumentList = { "-c", command },
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = "/",
        };
        start.Environment["ARCHITEKT_CALL"] = call;

        using var process = new Process { StartInfo = start };
        try
        {
            process.Start();
        }
        catch (Win32Exception error)
        {
            return new HookResult(HookOutcome.NotStarted, 0, "", error.Message);
        }

        process.StandardInput.Close();
        var output = new BoundedText(process.StandardOutput);
        var errors = new BoundedText(process.StandardError);
        var ended = process.WaitForExit(timeout);
        if (!ended)
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }

        return new HookResult(
            ended ? HookOutcome.Exited : HookOutcome.TimedOut, ended ? process.ExitCode : 0, output.Collect(_outputGrace), errors.Collect(_outputGrace));
    }
}
