namespace Architekt.Fabric.Benchmarks.Start;

/// <summary>One start by the command.</summary>
/// <param name="Milliseconds">From the command to the answer.</param>
/// <param name="UntilPeerMilliseconds">How much of that had passed when the silo started the peer.</param>
internal sealed record CommandStart(double Milliseconds, double UntilPeerMilliseconds);
