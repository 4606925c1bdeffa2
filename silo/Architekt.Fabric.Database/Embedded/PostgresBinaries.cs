using System.Globalization;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Database;

/// <summary>The folder with the server's programs: Debian keeps one per major version, others put them into PATH.</summary>
internal static class PostgresBinaries
{
    private const string DebianFolder = "/usr/lib/postgresql";

    /// <summary>The newest, or for data that exists already the version that wrote it.</summary>
    /// <param name="dataVersion">Content of the data folder's PG_VERSION; null for new data.</param>
    internal static string Find(string? dataVersion) => Find(dataVersion, DebianFolder, ExecutablePath.Find);

    internal static string Find(string? dataVersion, string root, Func<string, string?> findInPath)
    {
        var installed = Directory.Exists(root)
            ? Directory.GetDirectories(root)
                .Where(folder => File.Exists(Path.Combine(folder, "bin", "postgres")) && File.Exists(Path.Combine(folder, "bin", "initdb")))
                .OrderByDescending(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var major) ? major : 0)
                .ToList()
            : [];
        var found = dataVersion is null ? installed.FirstOrDefault() : installed.Find(folder => Path.GetFileName(folder) == dataVersion);
        if (found is not null) return Path.Combine(found, "bin");

        // One from PATH tells its version only by refusing the data, and says so then.
        if (findInPath("initdb") is { } initdb && findInPath("postgres") is { } postgres
            && Path.GetDirectoryName(initdb) == Path.GetDirectoryName(postgres))
            return Path.GetDirectoryName(postgres)!;

        throw new FabricException(
            FabricErrorCode.Unsupported,
            dataVersion is null || installed.Count == 0
                ? $"There are no PostgreSQL server programs in {root} or PATH; install them with 'apt-get install postgresql', or give a connection string."
                : $"The private Postgres was created by PostgreSQL {dataVersion}, which is not installed; install it with 'apt-get install postgresql-{dataVersion}'.");
    }
}
