using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Faults.Hosts;

/// <summary>What it takes to start a process again as it was started: command line and environment (proc(5)).</summary>
internal sealed record Revival(IReadOnlyList<string> CommandLine, IReadOnlyDictionary<string, string?> Environment)
{
    public static Revival Of(int pid)
    {
        var environment = ReadList(pid, "environ").Select(static entry => entry.Split('=', 2)).Where(static pair => pair.Length == 2);
        return new Revival(ReadList(pid, "cmdline"), environment.ToDictionary(static pair => pair[0], static pair => (string?)pair[1]));
    }

    /// <summary>Starts it in a network namespace.</summary>
    /// <param name="network">The namespace.</param>
    /// <param name="before">A command in front of it, which turns into it.</param>
    /// <param name="log">What its output is appended to.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    public Task<ProcessIdentity> StartAsync(string network, IReadOnlyList<string> before, string log, CancellationToken cancellationToken) =>
        DetachedProcess.StartAsync("ip", ["netns", "exec", network, .. before, .. CommandLine], Environment, null, log, cancellationToken);

    private static List<string> ReadList(int pid, string file) =>
        [.. File.ReadAllText($"/proc/{pid}/{file}").Split('\0', StringSplitOptions.RemoveEmptyEntries)];
}
