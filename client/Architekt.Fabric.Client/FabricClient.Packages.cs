using Architekt.Fabric.Client.Packages;

namespace Architekt.Fabric.Client;

public partial class FabricClient
{
    /// <summary>The packages in a host's store, by name.</summary>
    public virtual async Task<IReadOnlyList<PackageInfo>> ListPackagesAsync(string host, CancellationToken cancellationToken = default)
    {
        FabricNames.Require(host, "host");
        var packages = await Connection.CallAsync(
            grains => grains.GetGrain<IHostGrain>(host).ListPackagesAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
        return [.. packages.OrderBy(package => package.Name, StringComparer.Ordinal)];
    }

    /// <summary>A package on a host, or null if the host does not have it.</summary>
    public virtual Task<PackageInfo?> FindPackageAsync(string host, string name, CancellationToken cancellationToken = default)
    {
        var key = PackageImporter.Key(host, name);
        return Connection.CallAsync(grains => grains.GetGrain<IPackageGrain>(key).FindAsync(cancellationToken), cancellationToken);
    }

    /// <summary>Brings a folder or an archive that lies on a host into its store and waits until it is there. Asking twice joins the import that is under way.</summary>
    /// <param name="host">The host.</param>
    /// <param name="path">Absolute path of the folder or the <c>.ark</c> archive on that host.</param>
    /// <param name="name">The package's name there.</param>
    /// <param name="progress">Told how far the import is.</param>
    /// <param name="cancellationToken">Ends the waiting, not the import.</param>
    public virtual Task<PackageInfo> ImportPackageAsync(
        string host,
        string path,
        string name,
        IProgress<PackageImport>? progress = null,
        CancellationToken cancellationToken = default) =>
        new PackageImporter(Connection).ImportAsync(host, path, name, progress, cancellationToken);

    /// <summary>
    /// Sends a folder or an archive of this machine into a host's store, over NBD to the host's package port, and waits until it is there. What has arrived
    /// when it is interrupted stays for the next attempt; nobody sees it before all of it has been compared with its manifest.
    /// </summary>
    /// <param name="host">The host.</param>
    /// <param name="path">The folder or the <c>.ark</c> archive, on this machine.</param>
    /// <param name="name">The package's name there.</param>
    /// <param name="progress">Told how far it is; what is sent counts once, what is checked once more.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public virtual Task<PackageInfo> UploadPackageAsync(
        string host,
        string path,
        string name,
        IProgress<PackageImport>? progress = null,
        CancellationToken cancellationToken = default) =>
        new PackageSender(Connection).SendAsync(host, path, name, progress, cancellationToken);
}
