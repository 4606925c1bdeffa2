namespace Architekt.Fabric.Processes;

/// <summary>The chain of commands that turns into the detached process; each replaces the one before, so the process id stays.</summary>
/// <param name="SystemdRun">Path of systemd-run; null where systemd does not run the machine.</param>
/// <param name="Setsid">Path of setsid(1): execs in place here, because a child we have just forked never leads a process group.</param>
/// <param name="UserManager">Use the user's own service manager: for everyone but root.</param>
internal sealed record DetachedLauncher(string? SystemdRun, string Setsid, bool UserManager)
{
    // Also the mark by which the launchers' command lines are told from the final one.
    private const string RedirectAndRun = "exec </dev/null >>\"$1\" 2>&1; shift; exec \"$@\" # architekt-detach";

    internal static DetachedLauncher ForThisSystem() => new(
        // The documented test for "booted with systemd": sd_booted(3).
        Directory.Exists("/run/systemd/system") ? ExecutablePath.Require("systemd-run", "systemd") : null,
        ExecutablePath.Require("setsid", "util-linux"),
        !Environment.IsPrivilegedProcess);

    internal static DetachedLauncher SessionOnly() => new(SystemdRun: null, ExecutablePath.Require("setsid", "util-linux"), UserManager: false);

    internal static bool IsLauncher(string commandLine) => commandLine.Contains(RedirectAndRun, StringComparison.Ordinal);

    internal IReadOnlyList<string> CommandLine(string executable, IReadOnlyList<string> args, string logFile)
    {
        var words = new List<string>();
        if (SystemdRun is not null)
        {
            words.AddRange([SystemdRun, "--scope", "--collect", "--quiet"]);
            if (UserManager)
                words.Add("--user");
            words.AddRange([$"--unit={UnitName(executable)}", "--"]);
        }

        words.AddRange([Setsid, "/bin/sh", "-c", RedirectAndRun, "sh", logFile, executable, .. args]);
        return words;
    }

    // Characters that systemd.unit(5) does not allow in unit names are left out.
    private static string UnitName(string executable)
        => $"architekt-{string.Concat(Path.GetFileName(executable).Where(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))}-{Guid.NewGuid():N}";
}
