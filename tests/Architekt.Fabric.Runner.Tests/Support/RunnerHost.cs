using Architekt.Fabric.Processes;
using Architekt.Fabric.Runner.State;

namespace Architekt.Fabric.Runner.Tests.Support;

/// <summary>A state folder of its own, on a disk and where QEMU's user may pass, and what is run from it; gone after the test.</summary>
internal sealed class RunnerHost : IAsyncDisposable
{
    private const UnixFileMode Everyone = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
    private readonly List<FabricRun> _runs = [];

    public RunnerHost() => Directory.CreateDirectory(State, Everyone);

    public string State { get; } = $"/var/tmp/fr-{Guid.NewGuid().ToString("N")[..12]}";

    public static string RequireBlueprint() => Require("ARCHITEKT_TEST_GUEST", "a folder with a kernel, an initramfs and a disk");

    public static string RequirePeer()
    {
        foreach (var tool in new[] { "qemu-system-x86_64", "qemu-img" })
        {
            if (ExecutablePath.Find(tool) is null) Assert.Skip($"{tool} is not installed.");
        }

        return Require("ARCHITEKT_TEST_PEER", "a peer that was compiled ahead of time");
    }

    public FabricRun Run(string package, params IEnumerable<string> more)
    {
        var run = new FabricRun(["run", package, "--state", State, "--peer", RequirePeer(), .. more]);
        _runs.Add(run);
        return run;
    }

    /// <summary>A machine that answers at a port.</summary>
    public async Task<(FabricRun Run, Redis Redis)> RunRedisAsync(string package, params IEnumerable<string> more)
    {
        var port = Redis.FreePort();
        var (run, redis) = (Run(package, ["-p", $"{port}:6379", .. more]), new Redis(port));
        await redis.UntilItAnswersAsync(run);
        return (run, redis);
    }

    /// <summary>Command lines of the peers and QEMUs of this state folder that run.</summary>
    public IReadOnlyList<string> Processes()
    {
        var found = new List<string>();
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(static name => int.TryParse(Path.GetFileName(name), out _)))
        {
            try
            {
                var line = File.ReadAllText(Path.Combine(folder, "cmdline")).Replace('\0', ' ');
                if (line.Contains("qemu-system", StringComparison.Ordinal) && line.Contains(State, StringComparison.Ordinal)) found.Add(line);
                else if (line.Contains("architekt-peer", StringComparison.Ordinal) && Runtimes().Any(runtime => line.Contains(runtime, StringComparison.Ordinal))) found.Add(line);
            }
            catch (IOException)
            {
                // It has ended.
            }
        }

        return found;
    }

    /// <summary>The instance folder of each run that has not been cleaned up.</summary>
    public IReadOnlyList<string> Runtimes() => [.. Directory.EnumerateFiles(State, "run.json", SearchOption.AllDirectories)
        .Select(static file => System.Text.Json.JsonSerializer.Deserialize(File.ReadAllBytes(file), RunnerJson.Default.RunRecord)!.RuntimeFolder)];

    public async ValueTask DisposeAsync()
    {
        foreach (var run in _runs) await run.DisposeAsync();
        await Deadline.UntilAsync(() => Processes().Count == 0, () => $"the peers end with their runners: {string.Join(", ", Processes())}", seconds: 20);
        foreach (var runtime in Runtimes().Where(Directory.Exists)) Directory.Delete(runtime, recursive: true);

        // Sealed packages cannot be emptied by anyone but root.
        foreach (var folder in Directory.EnumerateDirectories(State, "*", SearchOption.AllDirectories)) File.SetUnixFileMode(folder, Everyone);
        Directory.Delete(State, recursive: true);
    }

    private static string Require(string variable, string what)
    {
        var value = Environment.GetEnvironmentVariable(variable);
        if (string.IsNullOrEmpty(value)) Assert.Skip($"{variable} does not name {what}.");
        return value;
    }
}
