namespace Architekt.Fabric.Packages;

/// <summary>What a package that lies somewhere says about itself.</summary>
/// <param name="Path">Where it is, absolute.</param>
/// <param name="IsArchive">Whether it is an archive and not a folder.</param>
/// <param name="StoredSize">Bytes it takes: the archive's length, or what the folder's entries take without their holes.</param>
/// <param name="Digest">The digest of its manifest: <c>sha256-</c> and 64 hexadecimal digits.</param>
/// <param name="Manifest">The manifest, valid.</param>
/// <param name="Entries">Its entries: all there and of the size that the manifest says.</param>
public sealed record PackageFileInfo(
    string Path, bool IsArchive, long StoredSize, string Digest, PackageManifest Manifest, IReadOnlyList<PackageFileEntry> Entries);
