using Architekt.Fabric.Blueprints.Images;

namespace Architekt.Fabric.Blueprints.Layers;

/// <summary>Unpacks an image's layers into one tree.</summary>
internal static class LayerStack
{
    /// <param name="image">The image.</param>
    /// <param name="workFolder">Where the files' contents are put.</param>
    /// <param name="progress">Told of each layer.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="BlueprintException">A layer is damaged, or holds what a disk cannot.</exception>
    internal static async Task<FileTree> UnpackAsync(
        Image image, string workFolder, IProgress<BlueprintProgress>? progress, CancellationToken cancellationToken)
    {
        var contents = Path.Combine(workFolder, "contents");
        Directory.CreateDirectory(contents);
        var reader = new LayerReader(contents);
        var tree = new FileTree();
        for (var index = 0; index < image.Layers.Count; index++)
        {
            progress?.Report(new BlueprintProgress(BlueprintPhase.Unpack, index, image.Layers.Count));
            var layer = image.Layers[index];
            // Before anything of it is looked at.
            await VerifyAsync(image.Files, layer, cancellationToken).ConfigureAwait(false);
            await using var tar = new HashingStream(Compression.Open(() => image.Files.Open(layer.Path)));
            var entries = await reader.ReadAsync(tar, $"{layer.Path} in {image.Files.Source}", cancellationToken).ConfigureAwait(false);
            if (layer.DiffId is { } expected && tar.Digest() is var actual && actual != expected)
                throw ImageDocument.Mismatch(image.Files, $"The tar in {layer.Path}", expected, actual);
            tree.Apply(entries);
        }

        return tree;
    }

    private static async Task VerifyAsync(IImageFiles files, ImageLayer layer, CancellationToken cancellationToken)
    {
        if (layer.Digest is not { } expected)
            return;
        await using var stream = files.Open(layer.Path);
        if (stream.Length is var length && layer.Size is { } size && length != size)
            throw new BlueprintException(BlueprintErrorCode.DigestMismatch, $"{layer.Path} in {files.Source} has {length} bytes, but must have {size}: get the image again.");
        var actual = await BlobDigest.OfAsync(stream, cancellationToken).ConfigureAwait(false);
        if (actual != expected)
            throw ImageDocument.Mismatch(files, layer.Path, expected, actual);
    }
}
