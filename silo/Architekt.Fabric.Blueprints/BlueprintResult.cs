using Architekt.Fabric.Packages;

namespace Architekt.Fabric.Blueprints;

/// <summary>A blueprint that was built.</summary>
/// <param name="Folder">Where it is: <c>manifest.json</c>, <c>kernel</c>, <c>initramfs</c>, <c>disk</c>.</param>
/// <param name="Digest">The digest of its manifest, by which stores know it.</param>
/// <param name="Manifest">Its manifest.</param>
public sealed record BlueprintResult(string Folder, string Digest, PackageManifest Manifest);
