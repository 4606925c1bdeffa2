namespace Architekt.Fabric.Grains;

/// <summary>What the destination's peer says about the device state.</summary>
/// <param name="IsLoaded">The state is loaded and QEMU waits, paused, for its grant. False: not yet.</param>
/// <param name="Error">Why it can never be; null otherwise.</param>
/// <param name="LoadMs">How long loading took, in ms.</param>
/// <param name="Digest">Digest of the RAM before loading; null unless verification was asked for.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.load-report")]
public sealed record LoadReport(bool IsLoaded, string? Error, double LoadMs, string? Digest);
