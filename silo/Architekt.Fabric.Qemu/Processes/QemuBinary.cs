using System.Text.RegularExpressions;

namespace Architekt.Fabric.Qemu;

/// <summary>Finds the QEMU that is installed.</summary>
public static partial class QemuBinary
{
    /// <summary>The program the fabric runs.</summary>
    public const string DefaultName = "qemu-system-x86_64";

    /// <summary>The oldest QEMU the fabric works with: Debian 12's.</summary>
    public static Version MinimumVersion { get; } = new(7, 2);

    /// <summary>Runs <c>-version</c>.</summary>
    /// <exception cref="QemuStartException">It is missing, does not run, or is older than <see cref="MinimumVersion"/>; the message says what to do.</exception>
    public static async Task<QemuVersion> DetectAsync(string binary, CancellationToken cancellationToken)
    {
        var path = Find(binary);
        var (exitCode, output, error) = await ToolProcess.RunAsync(path, ["-version"], cancellationToken).ConfigureAwait(false);
        if (exitCode != 0) throw new QemuStartException($"'{path} -version' ended with exit code {exitCode}: {error.Trim()}", exitCode, error);
        return Parse(path, output);
    }

    internal static QemuVersion Parse(string path, string output)
    {
        var description = output.Split('\n', 2)[0].Trim();
        var match = VersionPattern().Match(description);
        if (!match.Success) throw new QemuStartException($"'{path}' does not look like QEMU: it calls itself '{description}'");
        var version = new Version(match.Groups[1].Value);
        return version >= MinimumVersion
            ? new(path, version, description)
            : throw new QemuStartException(
                $"'{path}' is QEMU {version}, but {MinimumVersion} or newer is needed; upgrade the package 'qemu-system-x86' (Debian 12 has 7.2)");
    }

    /// <exception cref="QemuStartException">There is no such program.</exception>
    internal static string Find(string binary) => FindInPath(binary) ?? throw new QemuStartException(
        $"'{binary}' was not found{(binary.Contains('/', StringComparison.Ordinal) ? "" : " in PATH")}; install the Debian package 'qemu-system-x86' (apt-get install qemu-system-x86)");

    internal static string? FindInPath(string program)
    {
        if (program.Contains('/', StringComparison.Ordinal)) return IsExecutable(program) ? Path.GetFullPath(program) : null;
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin").Split(':', StringSplitOptions.RemoveEmptyEntries);
        return folders.Select(folder => Path.Combine(folder, program)).FirstOrDefault(IsExecutable);
    }

    private static bool IsExecutable(string path) => File.Exists(path) && !OperatingSystem.IsWindows()
        && (File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0;

    [GeneratedRegex(@"^QEMU emulator version (\d+\.\d+(\.\d+)?)", RegexOptions.CultureInvariant)]
    private static partial Regex VersionPattern();
}
