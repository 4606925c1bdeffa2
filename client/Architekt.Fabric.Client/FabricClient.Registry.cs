using Architekt.Fabric.Client.Packages;
using Architekt.Fabric.Packages;

namespace Architekt.Fabric.Client;

public partial class FabricClient
{
    /// <summary>
    /// Brings a package into a host's store from a host that has it, and waits until it is there. Asking twice joins the pull that is under way; one that was
    /// interrupted goes on where it ended.
    /// </summary>
    /// <param name="host">The host that is to have it.</param>
    /// <param name="reference">The package's name, digest, or the beginning of its digest.</param>
    /// <param name="name">A name it gets there if that is free; null for the name that was asked for, if it was one.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellationToken">Ends the waiting, not the pull.</param>
    public virtual Task<PackageInfo> PullPackageAsync(
        string host, string reference, string? name = null, IProgress<PackageImport>? progress = null, CancellationToken cancellationToken = default) =>
        new PackageImporter(Connection).PullAsync(host, reference, name, progress, cancellationToken);

    /// <summary>Makes a further name stand for a package on a host.</summary>
    /// <param name="host">The host.</param>
    /// <param name="reference">The package.</param>
    /// <param name="name">The name, with a tag if wanted: <c>redis:7.2</c>.</param>
    /// <param name="move">Whether to take the name from another package that has it; otherwise that is <see cref="FabricErrorCode.AlreadyExists"/>.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public virtual Task<PackageInfo> TagPackageAsync(
        string host, string reference, string name, bool move = false, CancellationToken cancellationToken = default)
    {
        FabricNames.RequirePackageName(name);
        return CallPackageAsync(host, reference, package => package.TagAsync(name, move, cancellationToken), cancellationToken);
    }

    /// <summary>Removes a name on a host and leaves its package, which goes with the next collection when it was the last one and nobody uses it. Returns the digest.</summary>
    public virtual Task<string> UntagPackageAsync(string host, string name, CancellationToken cancellationToken = default) =>
        CallPackageAsync(host, FabricNames.RequirePackageName(name), package => package.UntagAsync(cancellationToken), cancellationToken);

    /// <summary>
    /// Removes a name on a host, and its package with the last name; or, by digest, a package with all its names. <see cref="FabricErrorCode.Conflict"/> while a VM of that host,
    /// running or stopped, is based on it or someone reads it.
    /// </summary>
    public virtual Task DeletePackageAsync(string host, string reference, CancellationToken cancellationToken = default) => CallPackageAsync(
        host,
        reference,
        async package =>
        {
            await package.DeleteAsync(cancellationToken).ConfigureAwait(false);
            return true;
        },
        cancellationToken);

    /// <summary>Removes what has neither a name nor a user from a host's store, and pulls that were given up.</summary>
    public virtual Task<PackageCleaning> CollectPackagesAsync(string host, CancellationToken cancellationToken = default)
    {
        FabricNames.Require(host, "host");
        return Connection.CallAsync(grains => grains.GetGrain<IHostGrain>(host).CollectPackagesAsync(cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Writes a package of a host's store into an <c>.ark</c> archive on this machine. It is read over NBD from the host's package port and checked before it
    /// is written; until then it takes its size, without holes, beside the archive.
    /// </summary>
    /// <param name="host">The host that has it.</param>
    /// <param name="reference">The package.</param>
    /// <param name="path">The archive, on this machine.</param>
    /// <param name="options">How it is written; null for the defaults.</param>
    /// <param name="progress">Told how far it is; what is read counts once, what is written once more.</param>
    /// <param name="cancellationToken">Stops it; nothing is left.</param>
    public virtual Task<ArkInfo> ExportPackageAsync(
        string host,
        string reference,
        string path,
        ArkWriteOptions? options = null,
        IProgress<PackageProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        new PackageExporter(Connection).ExportAsync(PackageImporter.Key(host, reference), path, options, progress, cancellationToken);

    private Task<T> CallPackageAsync<T>(string host, string reference, Func<IPackageGrain, Task<T>> call, CancellationToken cancellationToken)
    {
        var key = PackageImporter.Key(host, reference);
        return Connection.CallAsync(grains => call(grains.GetGrain<IPackageGrain>(key)), cancellationToken);
    }
}
