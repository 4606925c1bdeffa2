using System.Text.Json.Serialization;

namespace Architekt.Fabric.Blueprints.Images;

/// <summary>image-spec, image-index.md.</summary>
internal sealed record ImageIndex(IReadOnlyList<Descriptor>? Manifests);

/// <summary>image-spec, manifest.md.</summary>
internal sealed record ImageManifest(Descriptor? Config, IReadOnlyList<Descriptor>? Layers);

/// <summary>image-spec, descriptor.md.</summary>
internal sealed record Descriptor(string? MediaType, string? Digest, long Size, Platform? Platform, IReadOnlyDictionary<string, string>? Annotations);

/// <summary>image-spec, image-index.md, "platform".</summary>
internal sealed record Platform(string? Architecture, string? Os, string? Variant)
{
    /// <inheritdoc/>
    public override string ToString() => Variant is null ? $"{Os}/{Architecture}" : $"{Os}/{Architecture}/{Variant}";
}

/// <summary>image-spec, config.md.</summary>
internal sealed record ImageConfiguration(string? Architecture, string? Os, DateTimeOffset? Created, ExecutionParameters? Config, RootFileSystem? Rootfs);

/// <summary>image-spec, config.md, "rootfs".</summary>
internal sealed record RootFileSystem([property: JsonPropertyName("diff_ids")] IReadOnlyList<string>? DiffIds);

/// <summary>One image of those in the <c>manifest.json</c> that <c>docker save</c> writes.</summary>
internal sealed record DockerImage(string? Config, IReadOnlyList<string>? RepoTags, IReadOnlyList<string>? Layers);
