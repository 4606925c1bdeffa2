using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Packages;

/// <summary>A package as a folder with the manifest and one file for each entry, as a store keeps it.</summary>
internal sealed class FolderSource : IPackageSource
{
    private FolderSource(string path, PackageManifest manifest, byte[] manifestBytes) => (Path, Manifest, ManifestBytes) = (path, manifest, manifestBytes);

    public string Path { get; }

    public PackageManifest Manifest { get; }

    public byte[] ManifestBytes { get; }

    internal static FolderSource Open(string folder)
    {
        var bytes = StoreReader.ReadManifest(folder);
        return new FolderSource(folder, PackageManifest.Parse(bytes, System.IO.Path.Combine(folder, PackageManifest.FileName)), bytes);
    }

    /// <summary>Reads a package of a store, whose manifest has been checked when it was found.</summary>
    internal static FolderSource Of(StoredPackage package)
    {
        var source = Open(package.Folder);
        if (PackageManifest.DigestOf(source.ManifestBytes) != package.Digest)
            throw StoreReader.DamagedManifest(package.Folder, package.Digest);
        return source;
    }

    public void CheckEntries()
    {
        foreach (var entry in Manifest.Entries)
        {
            using var file = OpenEntry(entry);
        }
    }

    public long StoredSize(PackageEntry entry)
    {
        using var file = OpenEntry(entry);
        return SparseReader.DataLength(file, entry.Size);
    }

    public IEnumerable<ContentSegment> Read(PackageEntry entry, CancellationToken cancellationToken)
    {
        using var file = OpenEntry(entry);
        foreach (var segment in SparseReader.Read(file, entry.Size, cancellationToken))
            yield return segment;
    }

    public void Dispose()
    {
        // Entries are opened one at a time.
    }

    private SafeFileHandle OpenEntry(PackageEntry entry)
    {
        var path = System.IO.Path.Combine(Path, entry.Name);
        if (!File.Exists(path))
            throw new PackageException(PackageErrorCode.NotFound, $"The entry '{entry.Name}' of the manifest is missing: there is no file {path}.");
        var handle = RegularFile.Open(path, $"The entry '{entry.Name}' at {path}", out var length);
        if (length == entry.Size)
            return handle;
        handle.Dispose();
        throw new PackageException(
            PackageErrorCode.Invalid, $"The entry '{entry.Name}' at {path} has {length} bytes, but the manifest says {entry.Size}. Get or build the package again.");
    }
}
