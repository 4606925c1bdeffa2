namespace Architekt.Fabric.Grains;

/// <summary>What the source's peer says after everything was sent and acknowledged. The source is paused.</summary>
/// <param name="SourceMs">From STOP to the state's FLUSH being sent, in ms.</param>
/// <param name="LastRoundMs">Of that: scanning and sending the last pages.</param>
/// <param name="DiskMs">Of that: finishing the disk mirror.</param>
/// <param name="StateMs">Of that: writing out the device state.</param>
/// <param name="RoundTripMs">A round trip to the destination's peer, measured just before.</param>
/// <param name="Transfer">What was moved in all.</param>
/// <param name="Digest">Digest of the source's RAM; null unless verification was asked for.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.switch-report")]
public sealed record SwitchReport(
    double SourceMs,
    double LastRoundMs,
    double DiskMs,
    double StateMs,
    double RoundTripMs,
    TransferCounters Transfer,
    string? Digest);
