using Architekt.Fabric.Packages.Interop;

namespace Architekt.Fabric.Packages;

/// <summary>Writes packages into <c>.ark</c> archives.</summary>
public static class ArkWriter
{
    /// <summary>
    /// Writes an archive in one pass over the package, checking its digests on the way: a damaged package gives none. The same package and level
    /// give the same archive. The file appears under its name when it is complete and on disk; what a killed export has left beside it goes with the next one.
    /// </summary>
    /// <param name="package">What to write.</param>
    /// <param name="path">The file. Not a pipe or a device: a length is written once the bytes after it are known.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="progress">Told about every MiB.</param>
    /// <param name="cancellationToken">Stops it; nothing is left.</param>
    /// <returns>What was written.</returns>
    /// <exception cref="PackageException">
    /// <see cref="PackageErrorCode.Exists"/>, <see cref="PackageErrorCode.DigestMismatch"/>, <see cref="PackageErrorCode.NoSpace"/>,
    /// <see cref="PackageErrorCode.NotFound"/> for a missing entry or folder, or <see cref="PackageErrorCode.Invalid"/>.
    /// </exception>
    public static Task<ArkInfo> WriteAsync(
        StoredPackage package, string path, ArkWriteOptions? options, IProgress<PackageProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(package);
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= new ArkWriteOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Level, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Level, ZstdSharp.Compressor.MaxCompressionLevel, nameof(options));
        return Task.Run(() => WriteFileAsync(package, Path.GetFullPath(path), options, progress, cancellationToken), cancellationToken);
    }

    private static async Task<ArkInfo> WriteFileAsync(
        StoredPackage package, string path, ArkWriteOptions options, IProgress<PackageProgress>? progress, CancellationToken cancellationToken)
    {
        using var source = FolderSource.Of(package);
        source.CheckEntries();
        try
        {
            using var target = ArkTarget.Create(path, options.Overwrite);
            Write(target.Stream, source, options.Level, progress, cancellationToken);
            target.Commit();
        }
        catch (IOException error) when (LibC.IsNoSpace(error))
        {
            throw new PackageException(PackageErrorCode.NoSpace, $"The disk is full where {path} is to be written: {error.Message} Free some space and export again.", error);
        }

        return await ArkReader.InspectAsync(path, cancellationToken);
    }

    private static void Write(FileStream stream, FolderSource source, int level, IProgress<PackageProgress>? progress, CancellationToken cancellationToken)
    {
        var total = source.Manifest.Entries.Sum(entry => entry.Size);
        var done = 0L;
        using var writer = new ArkTarWriter(stream, source.Manifest.CreatedAt);
        writer.Add(PackageManifest.FileName, new MemoryStream(source.ManifestBytes));
        foreach (var entry in source.Manifest.Entries)
        {
            progress?.Report(new PackageProgress(entry.Name, done, total));
            using var digest = new ContentDigest(
                count => progress?.Report(new PackageProgress(entry.Name, done += count, total)), cancellationToken);
            using var frames = new FrameStream(FrameEncoder.Encode(source.Read(entry, cancellationToken), level, digest));
            writer.Add(ArkNames.Of(entry), frames);
            digest.Check(entry, source.Path);
        }
    }
}
