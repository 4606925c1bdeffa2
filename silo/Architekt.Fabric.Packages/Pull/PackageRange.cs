namespace Architekt.Fabric.Packages;

/// <summary>A stretch of an entry.</summary>
/// <param name="Offset">Its first byte.</param>
/// <param name="Length">How many bytes, at least 1.</param>
public readonly record struct PackageRange(long Offset, long Length)
{
    /// <summary>The first byte after it.</summary>
    public long End => Offset + Length;
}
