namespace Architekt.Fabric.Packages;

/// <summary>Looks into <c>.ark</c> archives. <see cref="PackageStore.ImportAsync"/> unpacks them.</summary>
public static class ArkReader
{
    /// <summary>Reads the headers and the manifest, not the entries: as fast for a large archive as for a small one.</summary>
    /// <param name="path">The archive.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="PackageException">
    /// <see cref="PackageErrorCode.NotFound"/>, <see cref="PackageErrorCode.UnsupportedVersion"/>, or <see cref="PackageErrorCode.Invalid"/> for what is not an
    /// archive, is cut off, or has other members than its manifest says.
    /// </exception>
    public static Task<ArkInfo> InspectAsync(string path, CancellationToken cancellationToken) =>
        Task.Run(
            () =>
            {
                using var source = Open(path);
                return Describe(source);
            },
            cancellationToken);

    /// <summary>Unpacks everything into nowhere and compares it with the manifest.</summary>
    /// <param name="path">The archive.</param>
    /// <param name="progress">Told about every MiB.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="PackageException">As for <see cref="InspectAsync"/>, and <see cref="PackageErrorCode.DigestMismatch"/>.</exception>
    public static Task<ArkInfo> VerifyAsync(string path, IProgress<PackageProgress>? progress, CancellationToken cancellationToken) =>
        Task.Run(
            async () =>
            {
                using var source = Open(path);
                await new PackageImport(source, progress).VerifyAsync(cancellationToken);
                return Describe(source);
            },
            cancellationToken);

    private static ArkSource Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var full = Path.GetFullPath(path);
        return File.Exists(full) ? ArkSource.Open(full) : throw new PackageException(PackageErrorCode.NotFound, $"There is no archive {full}.");
    }

    private static ArkInfo Describe(ArkSource source)
    {
        var index = source.Index;
        var members = source.Manifest.Entries
            .OrderBy(entry => index.Bodies[entry.Name].Offset)
            .Select(entry => new ArkMember(ArkNames.Of(entry), entry, index.Bodies[entry.Name].Length));
        return new ArkInfo(source.Path, index.FileLength, PackageManifest.DigestOf(source.ManifestBytes), source.Manifest, [.. members]);
    }
}
