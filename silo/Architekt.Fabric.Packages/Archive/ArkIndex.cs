namespace Architekt.Fabric.Packages;

/// <summary>What the headers of an archive say, all of them checked.</summary>
/// <param name="Manifest">The manifest, valid.</param>
/// <param name="ManifestBytes">The bytes its digest is made of.</param>
/// <param name="Bodies">Where each entry's compressed bytes are, by the entry's name.</param>
/// <param name="FileLength">The length of the archive in bytes.</param>
internal sealed record ArkIndex(
    PackageManifest Manifest, byte[] ManifestBytes, IReadOnlyDictionary<string, (long Offset, long Length)> Bodies, long FileLength);
