namespace Architekt.Fabric.Packages;

/// <summary>What an archive says about itself; its entries have not been read.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="FileSize">Its length in bytes.</param>
/// <param name="Digest">The digest of the package in it: <c>sha256-</c> and 64 hexadecimal digits.</param>
/// <param name="Manifest">The manifest, with the version of the format.</param>
/// <param name="Members">The entries, in the order of the archive.</param>
public sealed record ArkInfo(string Path, long FileSize, string Digest, PackageManifest Manifest, IReadOnlyList<ArkMember> Members);
