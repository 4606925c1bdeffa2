namespace Architekt.Fabric;

/// <summary>What declaring a host dead has done.</summary>
/// <param name="Host">The host.</param>
/// <param name="Lost">VMs that nobody owns now; those that are to go on elsewhere are started by whichever host takes them first.</param>
/// <param name="Restarting">Of those, the ones that are to go on elsewhere.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.host-death")]
public sealed record HostDeath(string Host, IReadOnlyList<string> Lost, IReadOnlyList<string> Restarting);
