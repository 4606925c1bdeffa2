namespace Architekt.Fabric.Peer;

/// <summary>Answer to <c>POST /v1/switch</c>.</summary>
/// <param name="SourceMs">From STOP to the state's FLUSH being sent.</param>
/// <param name="LastRoundMs">Scanning and sending the last pages.</param>
/// <param name="DiskMs">Finishing the disk mirror.</param>
/// <param name="StateMs">Writing out the device state.</param>
/// <param name="RoundTripMs">A round trip to the destination, measured just before.</param>
/// <param name="Counters">What was moved in all.</param>
/// <param name="Digest">Digest of the RAM, if asked for.</param>
public sealed record PeerSwitched(
    double SourceMs, double LastRoundMs, double DiskMs, double StateMs, double RoundTripMs, PeerCounters Counters, string? Digest);
