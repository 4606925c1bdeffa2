namespace Architekt.Fabric;

/// <summary>Where the pause of a migration went. All in ms; source and destination are measured on their own clocks.</summary>
/// <param name="SourceMs">From STOP to the last byte acknowledged by the destination.</param>
/// <param name="LastRoundMs">Of that: scanning and sending the last pages.</param>
/// <param name="DiskMs">Of that, beside it: the guest's last disk requests and the end of the disk mirror.</param>
/// <param name="StateMs">Of that: writing out the device state.</param>
/// <param name="LoadMs">What was left of loading it at the destination, which begins while it is written.</param>
/// <param name="CommitMs">The ownership transaction.</param>
/// <param name="RunMs">From the grant to RESUME.</param>
/// <param name="FramesCarried">Network frames that arrived for the guest during the pause and were carried over to the destination.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.pause-breakdown")]
public sealed record PauseBreakdown(
    double SourceMs,
    double LastRoundMs,
    double DiskMs,
    double StateMs,
    double LoadMs,
    double CommitMs,
    double RunMs,
    int FramesCarried);
