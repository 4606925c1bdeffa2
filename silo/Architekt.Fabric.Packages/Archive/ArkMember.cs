namespace Architekt.Fabric.Packages;

/// <summary>One compressed entry of an archive.</summary>
/// <param name="Name">The name of its member in the tar.</param>
/// <param name="Entry">What the manifest says about it.</param>
/// <param name="StoredSize">How many bytes of the archive it takes, compressed.</param>
public sealed record ArkMember(string Name, PackageEntry Entry, long StoredSize);
