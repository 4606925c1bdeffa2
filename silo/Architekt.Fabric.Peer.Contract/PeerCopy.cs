namespace Architekt.Fabric.Peer;

/// <summary>Body of <c>POST /v1/copy</c>.</summary>
/// <param name="Operation">The migration.</param>
/// <param name="Offer">Where to push to.</param>
/// <param name="PauseBudgetMs">How long the last round may take, in ms.</param>
/// <param name="MaxRounds">Rounds after which it gives up.</param>
/// <param name="TimeoutMs">Time after which it gives up, in ms.</param>
/// <param name="Connections">NBD connections.</param>
/// <param name="BandwidthBytesPerSecond">Limit of pre-copy; 0 is none.</param>
public sealed record PeerCopy(
    string Operation, PeerOffer Offer, int PauseBudgetMs, int MaxRounds, int TimeoutMs, int Connections, long BandwidthBytesPerSecond);
