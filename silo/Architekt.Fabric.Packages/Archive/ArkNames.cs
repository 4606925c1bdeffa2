namespace Architekt.Fabric.Packages;

/// <summary>What the members of an archive are called.</summary>
internal static class ArkNames
{
    // So that 'zstd -d' finds what it expects and leaves the entry's name.
    private const string Suffix = ".zst";

    internal static string Of(PackageEntry entry) => entry.Name + Suffix;
}
