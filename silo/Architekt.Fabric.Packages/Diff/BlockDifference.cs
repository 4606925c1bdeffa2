namespace Architekt.Fabric.Packages;

/// <summary>How much of two contents differs. Where one is longer, the other counts as zeros.</summary>
/// <param name="Total">Blocks of <see cref="BlockSize"/> in the longer one.</param>
/// <param name="Differing">Blocks with at least one byte that differs.</param>
/// <param name="DifferingBytes">Bytes that differ.</param>
public sealed record BlockDifference(long Total, long Differing, long DifferingBytes)
{
    /// <summary>The size of a block in bytes: that of a page of RAM.</summary>
    public const int BlockSize = 4096;
}
