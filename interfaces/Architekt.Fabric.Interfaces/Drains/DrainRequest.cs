namespace Architekt.Fabric;

/// <summary>What a drain is asked to do.</summary>
/// <param name="Host">The host to empty; it is cordoned and stays so.</param>
/// <param name="Options">How.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.drain-request")]
public sealed record DrainRequest(string Host, DrainOptions Options);
