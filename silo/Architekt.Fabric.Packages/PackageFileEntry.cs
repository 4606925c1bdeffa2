namespace Architekt.Fabric.Packages;

/// <summary>One entry of a package as it lies there.</summary>
/// <param name="Entry">What the manifest says about it.</param>
/// <param name="StoredSize">Bytes it takes: compressed in an archive, without its holes in a folder.</param>
public sealed record PackageFileEntry(PackageEntry Entry, long StoredSize);
