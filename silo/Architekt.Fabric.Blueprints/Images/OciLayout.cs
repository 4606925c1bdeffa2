namespace Architekt.Fabric.Blueprints.Images;

/// <summary>Finds an image in an OCI image layout (image-spec, image-layout.md).</summary>
internal static class OciLayout
{
    internal const string MarkerFile = "oci-layout";

    internal const string Architecture = "amd64";
    internal const string OperatingSystem = "linux";

    private const string IndexFile = "index.json";
    private const int MaxDepth = 4;

    private static readonly string[] _indexTypes =
        ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];

    private static readonly string[] _nameAnnotations = ["org.opencontainers.image.ref.name", "io.containerd.image.name"];

    internal static async Task<Image> OpenAsync(IImageFiles files, string? reference, CancellationToken cancellationToken)
    {
        var index = await ImageDocument.ReadAsync(files, IndexFile, null, ImageJsonContext.Default.ImageIndex, cancellationToken).ConfigureAwait(false);
        var named = (index.Manifests ?? []).Where(candidate => reference is null || IsNamed(candidate, reference)).ToList();
        if (named.Count == 0)
        {
            throw new BlueprintException(
                BlueprintErrorCode.NotFound,
                $"{files.Source} has no image{(reference is null ? "" : $" '{reference}'")}; it has: {Shown((index.Manifests ?? []).Select(NameOf))}.");
        }

        var candidates = new List<Descriptor>();
        foreach (var descriptor in named)
            await ExpandAsync(files, descriptor, candidates, MaxDepth, cancellationToken).ConfigureAwait(false);
        var fitting = candidates.Where(candidate => IsForGuests(candidate.Platform)).DistinctBy(candidate => candidate.Digest).ToList();
        if (fitting.Count == 0)
        {
            throw new BlueprintException(
                BlueprintErrorCode.Unsupported,
                $"{files.Source} has no image for {OperatingSystem}/{Architecture}; it has: {Shown(candidates.Select(candidate => candidate.Platform?.ToString()))}.");
        }

        if (fitting.Count > 1)
        {
            throw new BlueprintException(
                BlueprintErrorCode.Invalid, $"{files.Source} has several images; name one of: {Shown(fitting.Select(NameOf))}.");
        }

        return await ReadAsync(files, fitting[0], cancellationToken).ConfigureAwait(false);
    }

    /// <exception cref="BlueprintException">The image is for another platform.</exception>
    internal static void CheckPlatform(IImageFiles files, ImageConfiguration configuration)
    {
        if (!IsForGuests(new Platform(configuration.Architecture, configuration.Os, null)))
        {
            throw new BlueprintException(
                BlueprintErrorCode.Unsupported,
                $"The image in {files.Source} is for {configuration.Os}/{configuration.Architecture}; guests need {OperatingSystem}/{Architecture}.");
        }
    }

    private static async Task<Image> ReadAsync(IImageFiles files, Descriptor descriptor, CancellationToken cancellationToken)
    {
        var manifest = await ImageDocument.ReadBlobAsync(files, descriptor, ImageJsonContext.Default.ImageManifest, cancellationToken).ConfigureAwait(false);
        if (manifest.Config is null || manifest.Layers is null)
            throw new BlueprintException(BlueprintErrorCode.Invalid, $"The manifest {descriptor.Digest} in {files.Source} has no configuration or no layers.");
        var configuration = await ImageDocument.ReadBlobAsync(
            files, manifest.Config, ImageJsonContext.Default.ImageConfiguration, cancellationToken).ConfigureAwait(false);
        CheckPlatform(files, configuration);
        var diffIds = configuration.Rootfs?.DiffIds ?? [];
        if (diffIds.Count != manifest.Layers.Count)
        {
            throw new BlueprintException(
                BlueprintErrorCode.Invalid, $"The image in {files.Source} has {manifest.Layers.Count} layers, but its configuration knows {diffIds.Count}.");
        }

        return new Image(files, descriptor.Digest!, [.. manifest.Layers.Zip(diffIds, (layer, diffId) =>
            new ImageLayer(BlobDigest.PathOf(layer.Digest), layer.Digest, layer.Size, diffId))])
        {
            Created = configuration.Created,
            Parameters = configuration.Config ?? new ExecutionParameters(),
        };
    }

    private static async Task ExpandAsync(IImageFiles files, Descriptor descriptor, List<Descriptor> found, int depth, CancellationToken cancellationToken)
    {
        if (!_indexTypes.Contains(descriptor.MediaType))
        {
            found.Add(descriptor);
            return;
        }

        if (depth == 0)
            throw new BlueprintException(BlueprintErrorCode.Invalid, $"{files.Source} has indexes in indexes, more than {MaxDepth} deep.");
        var index = await ImageDocument.ReadBlobAsync(files, descriptor, ImageJsonContext.Default.ImageIndex, cancellationToken).ConfigureAwait(false);
        foreach (var inner in index.Manifests ?? [])
            await ExpandAsync(files, inner with { Annotations = inner.Annotations ?? descriptor.Annotations }, found, depth - 1, cancellationToken).ConfigureAwait(false);
    }

    // Without a platform the configuration decides. Attestations have one that is unknown.
    private static bool IsForGuests(Platform? platform) => platform is null or { Architecture: Architecture, Os: OperatingSystem };

    private static bool IsNamed(Descriptor descriptor, string reference) =>
        descriptor.Digest == reference || Names(descriptor).Any(name => name == reference || name.EndsWith($":{reference}", StringComparison.Ordinal)
            || name.EndsWith($"/{reference}", StringComparison.Ordinal));

    private static IEnumerable<string> Names(Descriptor descriptor) =>
        _nameAnnotations.Select(annotation => descriptor.Annotations?.GetValueOrDefault(annotation)).OfType<string>();

    private static string? NameOf(Descriptor descriptor) => Names(descriptor).FirstOrDefault() ?? descriptor.Digest;

    private static string Shown(IEnumerable<string?> names) =>
        string.Join(", ", names.Select(name => name ?? "one of no platform").Distinct().DefaultIfEmpty("nothing"));
}
