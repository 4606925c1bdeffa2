namespace Architekt.Fabric.Peer;

/// <summary>How an instance ended.</summary>
/// <param name="Epoch">Its epoch.</param>
/// <param name="Kind">Why it ended.</param>
/// <param name="Reason">For people.</param>
public sealed record PeerExit(long Epoch, PeerExitKind Kind, string Reason);
