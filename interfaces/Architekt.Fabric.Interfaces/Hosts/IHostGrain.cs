namespace Architekt.Fabric;

/// <summary>One host. The key is the host's name; the grain is pinned to that host's silo.</summary>
[Alias("architekt.host")]
public interface IHostGrain : IGrainWithStringKey
{
    /// <summary>The packages in the host's store.</summary>
    [Alias("list-packages")]
    Task<IReadOnlyList<PackageInfo>> ListPackagesAsync(CancellationToken cancellationToken = default);

    /// <summary>Removes packages that have neither a name nor a user from the host's store, and pulls that were given up.</summary>
    [Alias("collect-packages")]
    [ResponseTimeout("00:05:00")]
    Task<PackageCleaning> CollectPackagesAsync(CancellationToken cancellationToken = default);
}
