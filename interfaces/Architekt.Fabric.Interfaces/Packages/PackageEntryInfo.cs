namespace Architekt.Fabric;

/// <summary>One file of a package.</summary>
/// <param name="Name">kernel, initramfs, disk, memory or state.</param>
/// <param name="SizeBytes">Its apparent size, in bytes.</param>
/// <param name="Sha256">SHA-256 of its content, 64 hex digits.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.package-entry-info")]
public sealed record PackageEntryInfo(string Name, long SizeBytes, string Sha256);
