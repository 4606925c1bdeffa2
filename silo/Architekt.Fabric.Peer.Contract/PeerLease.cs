namespace Architekt.Fabric.Peer;

/// <summary>The guest may run until a time, and stops then unless it was given more.</summary>
/// <param name="Epoch">The instance's epoch.</param>
/// <param name="UntilMs">
/// Time on CLOCK_BOOTTIME, which silo and peer share, in ms. A time and not a span, so that a message that lay in a socket for an hour gives nothing.
/// </param>
public sealed record PeerLease(long Epoch, long UntilMs);
