using Architekt.Fabric.Packages;

namespace Architekt.Fabric.Cli.Output;

/// <summary>The JSON form of what differs between two packages.</summary>
internal sealed record PackageDiffDetail(
    bool IsEqual, string FirstDigest, string SecondDigest, IReadOnlyList<FieldDifference> Fields, IReadOnlyList<EntryDiffDetail> Entries)
{
    public static PackageDiffDetail From(PackageDiff diff) => new(
        diff.FirstDigest == diff.SecondDigest,
        diff.FirstDigest,
        diff.SecondDigest,
        diff.Fields,
        [.. diff.Entries.Select(entry => new EntryDiffDetail(
            entry.Name, entry.IsEqual, entry.First?.Size, entry.Second?.Size, entry.Blocks?.Total, entry.Blocks?.Differing, entry.Blocks?.DifferingBytes))]);
}

/// <summary>An entry of the two; blocks have 4096 bytes and are counted for memory and disk only.</summary>
internal sealed record EntryDiffDetail(
    string Name, bool IsEqual, long? FirstBytes, long? SecondBytes, long? Blocks, long? DifferingBlocks, long? DifferingBytes);
