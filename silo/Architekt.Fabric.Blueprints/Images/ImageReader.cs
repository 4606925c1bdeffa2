namespace Architekt.Fabric.Blueprints.Images;

/// <summary>Finds out what a source is and opens it.</summary>
internal static class ImageReader
{
    /// <param name="source">The source.</param>
    /// <param name="workFolder">Where a compressed archive is decompressed to.</param>
    /// <param name="cancellationToken">Looked at between pieces of work.</param>
    /// <exception cref="BlueprintException">It is not there, not an image, or not for this platform.</exception>
    internal static async Task<Image> OpenAsync(BlueprintSource source, string workFolder, CancellationToken cancellationToken)
    {
        if (Directory.Exists(source.Path))
        {
            if (source.Kind == BlueprintSourceKind.RootTar || !File.Exists(Path.Combine(source.Path, OciLayout.MarkerFile)))
            {
                throw new BlueprintException(
                    BlueprintErrorCode.Invalid, $"{source.Path} is a folder without {OciLayout.MarkerFile}: give an OCI image layout, or a tar of a root file system.");
            }

            using var folder = new Owned<IImageFiles>(new ImageFolder(source.Path));
            return folder.Keep(await OciLayout.OpenAsync(folder.Value, source.Reference, cancellationToken).ConfigureAwait(false));
        }

        if (!File.Exists(source.Path))
            throw new BlueprintException(BlueprintErrorCode.NotFound, $"There is no file or folder {source.Path}.");
        var tar = source.Path;
        if (Compression.IsCompressed(tar))
        {
            tar = Path.Combine(workFolder, "source.tar");
            await using var content = Compression.Open(() => File.OpenRead(source.Path));
            await using var file = File.Create(tar);
            try
            {
                await content.CopyToAsync(file, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception error) when (error is InvalidDataException or EndOfStreamException or ZstdSharp.ZstdException)
            {
                throw new BlueprintException(BlueprintErrorCode.Invalid, $"{source.Path} cannot be decompressed: {error.Message}", error);
            }
        }

        using var archive = new Owned<IImageFiles>(await ImageArchive.OpenAsync(tar, source.Path, cancellationToken).ConfigureAwait(false));
        if (source.Kind != BlueprintSourceKind.RootTar)
        {
            // New versions of Docker write both; the OCI one has digests.
            if (archive.Value.Has(OciLayout.MarkerFile))
                return archive.Keep(await OciLayout.OpenAsync(archive.Value, source.Reference, cancellationToken).ConfigureAwait(false));
            if (archive.Value.Has(DockerArchive.ManifestFile))
                return archive.Keep(await DockerArchive.OpenAsync(archive.Value, source.Reference, cancellationToken).ConfigureAwait(false));
            if (source.Kind == BlueprintSourceKind.Image)
            {
                throw new BlueprintException(
                    BlueprintErrorCode.Invalid, $"{source.Path} is no image: it has neither {OciLayout.MarkerFile} nor {DockerArchive.ManifestFile}.");
            }
        }

        await using var whole = File.OpenRead(tar);
        var digest = await BlobDigest.OfAsync(whole, cancellationToken).ConfigureAwait(false);
        var folderOfTar = new ImageFolder(Path.GetDirectoryName(Path.GetFullPath(tar))!);
        return new Image(folderOfTar, digest, [new ImageLayer(Path.GetFileName(tar), null, null, digest)]);
    }
}
