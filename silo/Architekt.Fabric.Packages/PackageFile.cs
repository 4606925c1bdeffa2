namespace Architekt.Fabric.Packages;

/// <summary>Looks into packages that are in no store: folders and <c>.ark</c> archives alike.</summary>
public static class PackageFile
{
    /// <summary>Reads the manifest and looks at what is visible of the entries without reading them: as fast for a large package as for a small one.</summary>
    /// <param name="path">A folder with <c>manifest.json</c> and the entries, or an archive.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="PackageException">
    /// <see cref="PackageErrorCode.NotFound"/>, <see cref="PackageErrorCode.UnsupportedVersion"/>, or <see cref="PackageErrorCode.Invalid"/> for what is not a
    /// package or has entries of other sizes than its manifest says.
    /// </exception>
    public static Task<PackageFileInfo> InspectAsync(string path, CancellationToken cancellationToken) =>
        WithSourceAsync(path, static source => Task.FromResult(Describe(source)), cancellationToken);

    /// <summary>Reads everything and compares it with the manifest.</summary>
    /// <param name="path">A folder or an archive.</param>
    /// <param name="progress">Told about every MiB.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="PackageException">As for <see cref="InspectAsync"/>, and <see cref="PackageErrorCode.DigestMismatch"/>.</exception>
    public static Task<PackageFileInfo> VerifyAsync(string path, IProgress<PackageProgress>? progress, CancellationToken cancellationToken) =>
        WithSourceAsync(
            path,
            async source =>
            {
                var info = Describe(source);
                await new PackageImport(source, progress).VerifyAsync(cancellationToken);
                return info;
            },
            cancellationToken);

    private static Task<PackageFileInfo> WithSourceAsync(
        string path, Func<IPackageSource, Task<PackageFileInfo>> look, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Task.Run(
            async () =>
            {
                using var source = PackageSources.Open(path);
                source.CheckEntries();
                return await look(source);
            },
            cancellationToken);
    }

    private static PackageFileInfo Describe(IPackageSource source)
    {
        List<PackageFileEntry> entries = [.. source.Manifest.Entries.Select(entry => new PackageFileEntry(entry, source.StoredSize(entry)))];
        var archive = (source as ArkSource)?.Index.FileLength;
        return new PackageFileInfo(
            source.Path,
            archive is not null,
            archive ?? entries.Sum(entry => entry.StoredSize),
            PackageManifest.DigestOf(source.ManifestBytes),
            source.Manifest,
            entries);
    }
}
