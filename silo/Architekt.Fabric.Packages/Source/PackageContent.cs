namespace Architekt.Fabric.Packages;

/// <summary>A package in a folder or an <c>.ark</c> archive, opened to be read entry by entry. Its manifest is valid; the entries are believed once they were read.</summary>
public sealed class PackageContent : IDisposable
{
    private readonly IPackageSource _source;

    private PackageContent(IPackageSource source)
    {
        _source = source;
        Digest = PackageManifest.DigestOf(source.ManifestBytes);
    }

    /// <summary>The digest of the manifest, by which stores know the package.</summary>
    public string Digest { get; }

    /// <summary>The manifest.</summary>
    public PackageManifest Manifest => _source.Manifest;

    /// <summary>The manifest as it was found: what the digest is made of.</summary>
    public ReadOnlyMemory<byte> ManifestBytes => _source.ManifestBytes;

    /// <summary>Bytes of all entries, holes included.</summary>
    public long BytesTotal => Manifest.Entries.Sum(entry => entry.Size);

    /// <summary>Opens a package.</summary>
    /// <param name="path">A folder with <c>manifest.json</c> and the entries, or an archive.</param>
    /// <exception cref="PackageException">As for <see cref="PackageFile.InspectAsync"/>.</exception>
    public static PackageContent Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var source = PackageSources.Open(path);
        try
        {
            source.CheckEntries();
            return new PackageContent(source);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>Reads an entry from its beginning to its end and compares it with the manifest.</summary>
    /// <param name="entry">One of the manifest's entries.</param>
    /// <param name="take">
    /// Given each stretch in turn: its range, and its bytes, at most a MiB and only valid until the task ends; no bytes for zeros, of any length.
    /// </param>
    /// <param name="cancellationToken">Looked at for each stretch.</param>
    /// <exception cref="PackageException">It cannot be read, or is not what the manifest says.</exception>
    public async Task ReadAsync(PackageEntry entry, Func<PackageRange, ReadOnlyMemory<byte>, ValueTask> take, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entry);
        ArgumentNullException.ThrowIfNull(take);
        using var digest = new ContentDigest(static _ => { }, cancellationToken);
        var position = 0L;
        foreach (var segment in _source.Read(entry, cancellationToken))
        {
            // Digested while it is on its way.
            var digesting = Task.Run(() => digest.Append(segment), CancellationToken.None);
            try
            {
                await take(new PackageRange(position, segment.Length), segment.Data).ConfigureAwait(false);
            }
            finally
            {
                await digesting.ConfigureAwait(false);
            }

            position += segment.Length;
        }

        digest.Check(entry, _source.Path);
    }

    /// <summary>Closes it.</summary>
    public void Dispose() => _source.Dispose();
}
