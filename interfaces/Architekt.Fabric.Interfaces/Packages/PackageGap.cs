namespace Architekt.Fabric;

/// <summary>A stretch of an entry that a host lacks.</summary>
/// <param name="Entry">The entry's name.</param>
/// <param name="Offset">Its first byte.</param>
/// <param name="Length">How many bytes, at least 1.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.package-gap")]
public sealed record PackageGap(string Entry, long Offset, long Length);
