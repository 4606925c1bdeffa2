using Architekt.Fabric.Packages.Interop;

namespace Architekt.Fabric.Packages;

/// <summary>
/// A package in the making, in a folder of the store it will be in: what is written there is digested once, sealed and moved into place, never copied.
/// Disposed before it was completed, or left by a process that died, it is removed with all that is in it.
/// </summary>
public sealed class PackageDraft : IDisposable
{
    private readonly PackageStore _store;
    private readonly FileLock _alive;
    private readonly string _name;

    internal PackageDraft(PackageStore store, string folder, FileLock alive, string name)
    {
        _store = store;
        Folder = folder;
        _alive = alive;
        _name = name;
    }

    /// <summary>Where the entries' files go, named as <see cref="PackageEntryNames"/> says. Only this process's user can look into it.</summary>
    public string Folder { get; }

    /// <summary>Copies an entry of a package that is in the store already.</summary>
    /// <exception cref="PackageException"><see cref="PackageErrorCode.NotFound"/>: that package has no such entry.</exception>
    public Task CopyAsync(StoredPackage from, string entryName, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(from);
        var (source, target) = (from.PathOf(entryName), Path.Combine(Folder, entryName));
        return Task.Run(() => File.Copy(source, target), cancellationToken);
    }

    /// <summary>Makes what is in the folder a package of the store.</summary>
    /// <param name="manifest">What it says about itself; its entries are ignored and made from the files.</param>
    /// <param name="progress">Told about every MiB.</param>
    /// <param name="cancellationToken">Stops it; the draft is then to be disposed.</param>
    /// <exception cref="PackageException">
    /// <see cref="PackageErrorCode.Invalid"/>: the manifest and the files do not make a package; <see cref="PackageErrorCode.Exists"/>: the name was taken meanwhile.
    /// </exception>
    public async Task<StoredPackage> CompleteAsync(
        PackageManifest manifest, IProgress<PackageProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        var bytes = await Task.Run(() => Seal(manifest, progress, cancellationToken), cancellationToken);
        return await _store.MoveInAsync(Folder, PackageManifest.DigestOf(bytes), _name, cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        StoreLayout.RemoveFolder(Folder);
        File.Delete(Folder + StoreLayout.LockSuffix);
        _alive.Dispose();
    }

    private byte[] Seal(PackageManifest manifest, IProgress<PackageProgress>? progress, CancellationToken cancellationToken)
    {
        var files = PackageEntryNames.Of(manifest.Kind).Select(name => new FileInfo(Path.Combine(Folder, name))).Where(file => file.Exists).ToList();
        var (done, total) = (0L, files.Sum(file => file.Length));
        var entries = new List<PackageEntry>();
        foreach (var file in files)
        {
            File.SetUnixFileMode(file.FullName, StoreLayout.SealedFile);
            using var content = File.OpenHandle(file.FullName);
            using var digest = new ContentDigest(count => progress?.Report(new PackageProgress(file.Name, done += count, total)), cancellationToken);
            foreach (var segment in SparseReader.Read(content, file.Length, cancellationToken)) digest.Append(segment);
            RandomAccess.FlushToDisk(content);
            entries.Add(new PackageEntry { Name = file.Name, Size = file.Length, Sha256 = digest.Finish() });
        }

        var bytes = (manifest with { Entries = entries }).ToUtf8();
        var path = Path.Combine(Folder, PackageManifest.FileName);
        using (var target = File.OpenHandle(path, FileMode.Create, FileAccess.Write))
        {
            RandomAccess.Write(target, bytes, 0);
            RandomAccess.FlushToDisk(target);
        }

        File.SetUnixFileMode(path, StoreLayout.SealedFile);
        LibC.SyncFolder(Folder);
        return bytes;
    }
}
