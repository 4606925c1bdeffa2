namespace Architekt.Fabric.Peer;

/// <summary>Body of <c>POST /v1/incoming</c>.</summary>
/// <param name="Operation">The migration.</param>
/// <param name="Verify">Digest the RAM before the device state is loaded.</param>
/// <param name="IsLive">Whether the guest has said already that it is up; it says so once.</param>
/// <param name="Base">RAM to begin with, so that only what differs from it has to come; null for none.</param>
public sealed record PeerIncoming(string Operation, bool Verify, bool IsLive, PeerBase? Base = null);
