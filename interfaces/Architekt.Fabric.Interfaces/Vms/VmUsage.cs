namespace Architekt.Fabric;

/// <summary>What a running VM holds of its host now.</summary>
/// <param name="ResidentBytes">RAM the guest holds, in bytes.</param>
/// <param name="Fill">How far its RAM has been brought in from its package; null for a VM that booted or whose RAM came with a migration.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.vm-usage")]
public sealed record VmUsage(long ResidentBytes, VmFill? Fill);
