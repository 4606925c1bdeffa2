namespace Architekt.Fabric.Packages;

/// <summary>Where a package is read from: a folder or an archive. Its manifest is valid; nothing else has been believed yet.</summary>
internal interface IPackageSource : IDisposable
{
    /// <summary>Where it is, for messages.</summary>
    string Path { get; }

    PackageManifest Manifest { get; }

    /// <summary>The manifest as it was found: what the digest is made of.</summary>
    byte[] ManifestBytes { get; }

    /// <summary>Fails early on what is visible without reading it all.</summary>
    /// <exception cref="PackageException">An entry is missing or of another size.</exception>
    void CheckEntries();

    /// <summary>How many bytes an entry takes where it is: compressed in an archive, without its holes in a folder.</summary>
    long StoredSize(PackageEntry entry);

    /// <summary>An entry's content from its beginning, exactly as long as the manifest says.</summary>
    /// <param name="entry">One of the manifest's entries.</param>
    /// <param name="cancellationToken">Looked at for each segment.</param>
    /// <exception cref="PackageException">It cannot be read, or would be longer or shorter.</exception>
    IEnumerable<ContentSegment> Read(PackageEntry entry, CancellationToken cancellationToken);
}
