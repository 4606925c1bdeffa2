using System.Text.RegularExpressions;

namespace Architekt.Fabric.Runner.State;

/// <summary>The folder of all machines and packages of a runner.</summary>
internal sealed partial class RunnerRoot
{
    // QEMU's own user must be able to pass but not to list.
    public const UnixFileMode Passable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    public RunnerRoot(string path)
    {
        Path = System.IO.Path.GetFullPath(path);
        try
        {
            Directory.CreateDirectory(Machines, Passable);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new RunnerException(RunnerErrorCode.Failed, $"The state folder {Path} cannot be made: {error.Message} Choose another with --state.", error);
        }
    }

    public string Path { get; }

    public string Machines => System.IO.Path.Combine(Path, "machines");

    public string Packages => System.IO.Path.Combine(Path, "packages");

    /// <summary>Which accelerator was found to work.</summary>
    public string AcceleratorFile => System.IO.Path.Combine(Path, "accelerator");

    /// <summary>What guests see of a CPU under an accelerator.</summary>
    public string CpuFeaturesFile(string accelerator) => System.IO.Path.Combine(Path, $"cpu-features-{accelerator}");

    public static bool IsName(string name) => NamePattern().IsMatch(name);

    /// <summary>The packages that machines which are not running need.</summary>
    public IReadOnlySet<string> PackagesInUse() => Directory.EnumerateDirectories(Machines)
        .Select(static folder => MachineFolder.ReadState(folder)?.Record.Package).OfType<string>().ToHashSet();

    // As the names of packages are.
    [GeneratedRegex(@"\A[a-z0-9][a-z0-9._-]{0,62}\z", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();
}
