using Architekt.Fabric.Runner.State;

namespace Architekt.Fabric.Runner;

/// <summary>What to run, and how.</summary>
public sealed record RunnerOptions
{
    /// <summary>A folder with <c>manifest.json</c> and the entries, or an <c>.ark</c> archive.</summary>
    public required string Package { get; init; }

    /// <summary>The peer's executable.</summary>
    public required string PeerPath { get; init; }

    /// <summary>The machine's name, which its state is kept under: 1 to 63 of a-z, 0-9, '.', '_' and '-'. Null is the package's own.</summary>
    public string? Name { get; init; }

    /// <summary>Where suspended machines and unpacked packages are.</summary>
    public string StateFolder { get; init; } = DefaultStateFolder(Environment.GetEnvironmentVariable);

    /// <summary>Start over from the package; what was suspended is forgotten once the machine runs.</summary>
    public bool Fresh { get; init; }

    /// <summary>Keep nothing when the machine ends.</summary>
    public bool Remove { get; init; }

    /// <summary>What to do about RAM the guest has not touched: <c>none</c>, <c>idle</c> or <c>now</c>.</summary>
    public string Fill { get; init; } = "idle";

    /// <summary>Ports of this machine that lead to the guest.</summary>
    public IReadOnlyList<PortForward> Forwards { get; init; } = [];

    /// <summary><c>kvm</c> or <c>tcg</c> for a guest that boots; null finds out which works. One that resumes has no choice.</summary>
    public string? Accelerator { get; init; }

    /// <summary>QEMU's executable.</summary>
    public string QemuBinary { get; init; } = "qemu-system-x86_64";

    /// <summary>
    /// <c>architekt/runner</c> in <c>$XDG_STATE_HOME</c> (XDG Base Directory Specification), otherwise in <c>/var/lib</c> for root and in <c>~/.local/state</c> for everyone else.
    /// </summary>
    /// <param name="environment">Looks up variables.</param>
    public static string DefaultStateFolder(Func<string, string?> environment)
    {
        ArgumentNullException.ThrowIfNull(environment);

        // Relative paths in it are to be ignored.
        var home = environment("XDG_STATE_HOME") is { } named && Path.IsPathRooted(named) ? named
            : Environment.IsPrivilegedProcess ? "/var/lib"
            : Path.Combine(environment("HOME") ?? Path.GetTempPath(), ".local", "state");
        return Path.Combine(home, "architekt", "runner");
    }

    /// <summary>Whether a machine may be called so.</summary>
    public static bool IsName(string name) => RunnerRoot.IsName(name);

    /// <summary>What is wrong with a name that a machine may not have.</summary>
    public static string NameProblem(string name) =>
        $"'{name}' is not a name for a machine: use 1 to 63 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit.";
}
