namespace Architekt.Fabric.Packages;

/// <summary>What differs between two packages.</summary>
/// <param name="FirstDigest">The digest of the first package.</param>
/// <param name="SecondDigest">The digest of the second.</param>
/// <param name="Fields">The fields of the manifests that differ, besides the entries; sorted.</param>
/// <param name="Entries">All entries of both, the equal ones too.</param>
public sealed record PackageDiff(
    string FirstDigest, string SecondDigest, IReadOnlyList<FieldDifference> Fields, IReadOnlyList<EntryDifference> Entries)
{
    /// <summary>
    /// Compares two packages, each a folder (such as <see cref="StoredPackage.Folder"/>) or an archive. Entries whose digests are equal are not read:
    /// whether a package is what its manifest says is for <see cref="PackageStore.VerifyAsync"/> and <see cref="ArkReader.VerifyAsync"/>.
    /// </summary>
    /// <param name="first">The path of one.</param>
    /// <param name="second">The path of the other.</param>
    /// <param name="progress">Told about every MiB of the entries that are read.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="PackageException">
    /// <see cref="PackageErrorCode.NotFound"/>, <see cref="PackageErrorCode.Invalid"/> or <see cref="PackageErrorCode.UnsupportedVersion"/> about one of them.
    /// </exception>
    public static Task<PackageDiff> CompareAsync(
        string first, string second, IProgress<PackageProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(first);
        ArgumentException.ThrowIfNullOrEmpty(second);
        return Task.Run(
            () =>
            {
                using var firstSource = PackageSources.Open(first);
                using var secondSource = PackageSources.Open(second);
                return new PackageComparer(firstSource, secondSource, progress).Compare(cancellationToken);
            },
            cancellationToken);
    }
}
