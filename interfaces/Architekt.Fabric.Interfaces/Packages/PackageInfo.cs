namespace Architekt.Fabric;

/// <summary>A package in one host's store.</summary>
/// <param name="Host">The host.</param>
/// <param name="Name">Its name on that host.</param>
/// <param name="Digest">SHA-256 of its manifest, as <c>sha256-</c> and 64 hex digits.</param>
/// <param name="Kind">What it starts as: <c>blueprint</c> boots, <c>package</c> resumes.</param>
/// <param name="Architecture">Guest architecture, such as x86_64.</param>
/// <param name="MachineType">QEMU machine type: q35 or microvm.</param>
/// <param name="Vcpus">Virtual CPUs of a VM started from it.</param>
/// <param name="MemoryBytes">RAM of a VM started from it, in bytes.</param>
/// <param name="SizeBytes">Sum of its entries, in bytes.</param>
/// <param name="ImportedAt">When it came into the store.</param>
/// <param name="Entries">What it consists of.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.package-info")]
public sealed record PackageInfo(
    string Host,
    string Name,
    string Digest,
    string Kind,
    string Architecture,
    string MachineType,
    int Vcpus,
    long MemoryBytes,
    long SizeBytes,
    DateTimeOffset ImportedAt,
    IReadOnlyList<PackageEntryInfo> Entries);
