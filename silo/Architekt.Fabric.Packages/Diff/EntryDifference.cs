namespace Architekt.Fabric.Packages;

/// <summary>An entry of two packages, compared.</summary>
/// <param name="Name">One of <see cref="PackageEntryNames"/>.</param>
/// <param name="First">What the first manifest says; null if that package has no such entry.</param>
/// <param name="Second">What the second manifest says.</param>
/// <param name="Blocks">How the contents differ; only for memory and disk, and only if both packages have it.</param>
public sealed record EntryDifference(string Name, PackageEntry? First, PackageEntry? Second, BlockDifference? Blocks)
{
    /// <summary>Whether both packages have it with the same content.</summary>
    public bool IsEqual => First is not null && First == Second;
}
