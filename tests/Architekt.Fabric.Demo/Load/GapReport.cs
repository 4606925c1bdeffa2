namespace Architekt.Fabric.Demo.Load;

/// <summary>What a client saw of a stretch of time.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Writes">Writes acknowledged in it.</param>
/// <param name="LongestGapMs">The longest time between two acknowledgements, in ms.</param>
/// <param name="Seconds">How long it was.</param>
internal sealed record GapReport(string Name, long Writes, double LongestGapMs, double Seconds);
