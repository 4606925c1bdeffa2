using System.Text.Json.Serialization;

namespace Architekt.Fabric.Packages;

/// <summary>One file of a package.</summary>
public sealed record PackageEntry
{
    /// <summary>One of <see cref="PackageEntryNames"/>.</summary>
    [JsonRequired]
    public required string Name { get; init; }

    /// <summary>Its length in bytes, holes included.</summary>
    [JsonRequired]
    public required long Size { get; init; }

    /// <summary>The SHA-256 of its content, holes read as zeros: 64 lower-case hexadecimal digits.</summary>
    [JsonRequired]
    public required string Sha256 { get; init; }
}
