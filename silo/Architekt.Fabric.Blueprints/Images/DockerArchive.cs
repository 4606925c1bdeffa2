namespace Architekt.Fabric.Blueprints.Images;

/// <summary>Finds an image in what <c>docker save</c> writes (moby, image/spec/v1.2.md, "Combined Image JSON + Filesystem Changeset Format").</summary>
internal static class DockerArchive
{
    internal const string ManifestFile = "manifest.json";

    internal static async Task<Image> OpenAsync(IImageFiles files, string? reference, CancellationToken cancellationToken)
    {
        var images = await ImageDocument.ReadAsync(files, ManifestFile, null, ImageJsonContext.Default.ListDockerImage, cancellationToken).ConfigureAwait(false);
        var named = images.Where(image => reference is null || (image.RepoTags ?? []).Any(tag => IsNamed(tag, reference))).ToList();
        if (named.Count != 1)
        {
            var tags = string.Join(", ", images.SelectMany(image => image.RepoTags ?? []).DefaultIfEmpty("nothing with a tag"));
            throw named.Count == 0
                ? new BlueprintException(BlueprintErrorCode.NotFound, $"{files.Source} has no image{(reference is null ? "" : $" '{reference}'")}; it has: {tags}.")
                : new BlueprintException(BlueprintErrorCode.Invalid, $"{files.Source} has several images; name one of: {tags}.");
        }

        var image = named[0];
        if (image.Config is null || image.Layers is null)
            throw new BlueprintException(BlueprintErrorCode.Invalid, $"{ManifestFile} in {files.Source} names no configuration or no layers.");
        await using var configurationFile = files.Open(image.Config);
        // There is no manifest to name it by; the configuration's digest is what Docker calls an image's id.
        var digest = await BlobDigest.OfAsync(configurationFile, cancellationToken).ConfigureAwait(false);
        var configuration = await ImageDocument.ReadAsync(
            files, image.Config, digest, ImageJsonContext.Default.ImageConfiguration, cancellationToken).ConfigureAwait(false);
        OciLayout.CheckPlatform(files, configuration);
        var diffIds = configuration.Rootfs?.DiffIds ?? [];
        if (diffIds.Count != image.Layers.Count)
        {
            throw new BlueprintException(
                BlueprintErrorCode.Invalid, $"The image in {files.Source} has {image.Layers.Count} layers, but its configuration knows {diffIds.Count}.");
        }

        return new Image(files, digest, [.. image.Layers.Zip(diffIds, (layer, diffId) => new ImageLayer(layer, null, null, diffId))])
        {
            Created = configuration.Created,
            Parameters = configuration.Config ?? new ExecutionParameters(),
        };
    }

    private static bool IsNamed(string tag, string reference) =>
        tag == reference || tag.EndsWith($":{reference}", StringComparison.Ordinal) || tag.EndsWith($"/{reference}", StringComparison.Ordinal);
}
