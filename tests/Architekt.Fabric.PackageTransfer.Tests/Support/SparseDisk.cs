using Architekt.Fabric.Packages.Tests;

namespace Architekt.Fabric.PackageTransfer.Tests;

/// <summary>A disk that is a hole but for pieces of a MiB, as far from each other as they can be.</summary>
internal static class SparseDisk
{
    public const int MiB = 1 << 20;
    public const long Size = 256L * MiB;

    /// <summary>Gives a blueprint such a disk.</summary>
    /// <param name="blueprint">It.</param>
    /// <param name="pieces">How many MiB of the disk are data.</param>
    public static void WriteTo(TestBlueprint blueprint, int pieces) => blueprint.ReplaceEntry("disk", file =>
    {
        var random = new Random(3);
        var piece = new byte[MiB];
        file.SetLength(Size);
        for (var index = 0; index < pieces; index++)
        {
            random.NextBytes(piece);
            file.Position = Size / pieces * index;
            file.Write(piece);
        }
    });
}
