namespace Architekt.Fabric.Blueprints;

/// <summary>What a blueprint's disk is made of.</summary>
/// <param name="Path">A folder (OCI layout) or a file (any other kind; also compressed with gzip or zstd).</param>
public sealed record BlueprintSource(string Path)
{
    /// <summary>What it is.</summary>
    public BlueprintSourceKind Kind { get; init; }

    /// <summary>Which image, where the source holds several: a tag (<c>redis:7</c>, or only <c>7</c> where the layout says no more), or a manifest's digest.</summary>
    public string? Reference { get; init; }
}
