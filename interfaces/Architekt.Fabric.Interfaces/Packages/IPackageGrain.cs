namespace Architekt.Fabric;

/// <summary>One package on one host. The key is <c>host/package</c>; the grain is pinned to that host's silo.</summary>
[Alias("architekt.package")]
public partial interface IPackageGrain : IGrainWithStringKey
{
    /// <summary>Starts importing from a folder on the host, or joins the import that is under way.</summary>
    /// <param name="path">A blueprint folder on the host itself: bulk data does not travel in grain calls.</param>
    /// <param name="cancellationToken">Ends the call, not the import.</param>
    [Alias("import")]
    Task<PackageImport> ImportAsync(string path, CancellationToken cancellationToken = default);

    /// <summary>How far the import is; waits up to a second for a change.</summary>
    [Alias("import-status")]
    Task<PackageImport> GetImportAsync(CancellationToken cancellationToken = default);

    /// <summary>The package, or null if the host does not have it.</summary>
    [Alias("find")]
    Task<PackageInfo?> FindAsync(CancellationToken cancellationToken = default);
}
