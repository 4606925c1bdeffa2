namespace Architekt.Fabric.Processes;

/// <summary>Looks tools up the way execvp(3) does.</summary>
/// <remarks>
/// <see cref="System.Diagnostics.Process"/> also looks beside the running program and in the current folder before PATH;
/// a daemon that runs as root must not pick up an `ip` from wherever it happens to stand.
/// </remarks>
public static class ExecutablePath
{
    private const UnixFileMode AnyExecute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    // A service may be started with a PATH without the folders of system tools.
    private static readonly string[] _systemFolders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

    /// <summary>The full path of <paramref name="file"/>, or null when there is no such executable.</summary>
    /// <param name="file">A name to look for in PATH and then in the system's usual folders, or a path (then only this one counts).</param>
    public static string? Find(string file)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        if (file.Contains('/'))
            return IsExecutable(file) ? Path.GetFullPath(file) : null;

        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        return folders.Where(Path.IsPathRooted).Concat(_systemFolders).Select(folder => Path.Combine(folder, file)).FirstOrDefault(IsExecutable);
    }

    /// <summary>As <see cref="Find"/>, but throws.</summary>
    /// <exception cref="ToolMissingException">There is no such executable.</exception>
    public static string Require(string file, string? debianPackage = null)
        => Find(file) ?? throw new ToolMissingException(file, debianPackage);

    private static bool IsExecutable(string path)
        => OperatingSystem.IsLinux() && File.Exists(path) && (File.GetUnixFileMode(path) & AnyExecute) != 0;
}
