using System.Globalization;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Database;

/// <summary>What a running server says of itself in <c>postmaster.pid</c> (PostgreSQL documentation, 73.1, and pidfile.h).</summary>
/// <param name="Process">The server.</param>
/// <param name="Port">Its port.</param>
/// <param name="Address">The first address it listens on; empty for none.</param>
internal sealed record PostmasterFile(ProcessIdentity Process, int Port, string Address)
{
    private const int PidLine = 0;
    private const int PortLine = 3;
    private const int AddressLine = 5;

    internal static string PathIn(string dataFolder) => Path.Combine(dataFolder, "postmaster.pid");

    /// <summary>The server of that very data folder, or null if none runs. A file that was left behind proves nothing.</summary>
    internal static PostmasterFile? FindRunning(string dataFolder)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(PathIn(dataFolder));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        if (lines.Length <= AddressLine
            || !int.TryParse(lines[PidLine], NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
            || !int.TryParse(lines[PortLine], NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || ProcessIdentity.TryOf(pid) is not { } process
            || !WorksIn(process, dataFolder))
            return null;
        return new PostmasterFile(process, port, lines[AddressLine].Trim());
    }

    /// <summary>Whether a process is the server of the folder: a server's working folder is its data, and a later user of its number has another.</summary>
    internal static bool WorksIn(ProcessIdentity process, string dataFolder)
    {
        try
        {
            var folder = File.ResolveLinkTarget($"/proc/{process.Pid}/cwd", returnFinalTarget: false)?.FullName;
            return folder is not null && Canonical(folder) == Canonical(dataFolder) && process.IsAlive();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string Canonical(string folder) =>
        Directory.ResolveLinkTarget(folder, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(folder);
}
