namespace Architekt.Fabric;

/// <summary>Where a drain is.</summary>
/// <param name="Sequence">Grows with each report of one drain; a watcher that reconnects skips what it has seen.</param>
/// <param name="ElapsedMs">Since it began, in ms.</param>
/// <param name="Vms">The VMs it found on the host, by name.</param>
/// <param name="Result">The outcome; only in the last report.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.drain-progress")]
public sealed record DrainProgress(long Sequence, double ElapsedMs, IReadOnlyList<DrainedVm> Vms, DrainResult? Result);
