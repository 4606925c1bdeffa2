namespace Architekt.Fabric.Grains;

/// <summary>What the destination's peer says after RESUME.</summary>
/// <param name="SinceStateMs">From the state's FLUSH being received to RESUME, in ms: the destination's part of the pause.</param>
/// <param name="RunMs">From the grant to RESUME, in ms.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.run-report")]
public sealed record RunReport(double SinceStateMs, double RunMs);
