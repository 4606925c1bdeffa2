using Architekt.Fabric.Packages.Interop;

namespace Architekt.Fabric.Packages;

/// <content>Packages that arrive piece by piece.</content>
public sealed partial class PackageStore
{
    /// <summary>Begins to bring a package in piece by piece, or goes on where an attempt before has ended.</summary>
    /// <param name="manifestBytes">Its manifest.</param>
    /// <param name="digest">What was asked for: the manifest's digest must be this one.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="PackageException">
    /// <see cref="PackageErrorCode.DigestMismatch"/> for another manifest, <see cref="PackageErrorCode.InUse"/> while someone else pulls it, <see cref="PackageErrorCode.Exists"/>
    /// when it is there, and what a manifest can be refused for.
    /// </exception>
    public async Task<PackagePull> BeginPullAsync(byte[] manifestBytes, string digest, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(manifestBytes);
        ArgumentException.ThrowIfNullOrEmpty(digest);
        if (PackageManifest.DigestOf(manifestBytes) is var actual && actual != digest)
            throw new PackageException(PackageErrorCode.DigestMismatch, $"The manifest that was sent is that of {actual}, not of {digest}. Pull it from another host.");
        var manifest = PackageManifest.Parse(manifestBytes, $"The manifest of {digest}");
        var folder = _layout.PullFolder(digest);
        using var taken = await LockAsync(cancellationToken);
        if (Directory.Exists(_layout.PackageFolder(digest)))
            throw new PackageException(PackageErrorCode.Exists, $"The package {digest} is in the store {Root} already.");
        var alive = FileLock.TryTake(folder + StoreLayout.LockSuffix)
            ?? throw new PackageException(PackageErrorCode.InUse, $"The package {digest} is being pulled into {Root} already: wait for that to end.");
        try
        {
            return PackagePull.Open(this, folder, alive, manifestBytes, digest, manifest);
        }
        catch
        {
            alive.Dispose();
            throw;
        }
    }

    /// <summary>Makes a folder that a pull has completed a package.</summary>
    internal async Task<StoredPackage> AdoptAsync(string folder, string digest, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        using var taken = await LockAsync(cancellationToken);
        File.Delete(Path.Combine(folder, PullJournal.FileName));
        LibC.SyncFolder(folder);
        Reveal(folder, digest);
        StoreLayout.RemoveFolder(folder);
        foreach (var name in names.Where(ManifestRules.IsStoreName).Where(name => _layout.DigestOf(name) is not { } other || !Directory.Exists(_layout.PackageFolder(other))))
            _layout.WriteName(name, digest);
        StoreLog.Imported(_logger, digest, "another store");
        return _reader.Load(digest);
    }
}
