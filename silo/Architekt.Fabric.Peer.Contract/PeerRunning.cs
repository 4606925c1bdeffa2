namespace Architekt.Fabric.Peer;

/// <summary>Answer to <c>POST /v1/run</c>.</summary>
/// <param name="SinceStateMs">From the state's FLUSH being received to RESUME.</param>
/// <param name="RunMs">From the grant to RESUME.</param>
/// <param name="IsLive">Whether the guest has said that it is up.</param>
public sealed record PeerRunning(double SinceStateMs, double RunMs, bool IsLive);
