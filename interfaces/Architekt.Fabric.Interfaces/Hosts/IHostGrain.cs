namespace Architekt.Fabric;

/// <summary>One host. The key is the host's name; the grain is pinned to that host's silo.</summary>
[Alias("architekt.host")]
public interface IHostGrain : IGrainWithStringKey
{
    /// <summary>The packages in the host's store.</summary>
    [Alias("list-packages")]
    Task<IReadOnlyList<PackageInfo>> ListPackagesAsync(CancellationToken cancellationToken = default);
}
