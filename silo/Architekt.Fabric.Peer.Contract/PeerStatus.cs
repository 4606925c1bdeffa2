namespace Architekt.Fabric.Peer;

/// <summary>Answer to <c>GET /v1/status</c>.</summary>
/// <param name="Vm">The VM.</param>
/// <param name="Epoch">The instance's epoch.</param>
/// <param name="GrantedEpoch">The epoch the guest was let run under; 0 if it never was.</param>
/// <param name="State">What the peer is doing.</param>
/// <param name="IsLive">Whether the guest has said that it is up.</param>
/// <param name="Operation">The migration it takes part in, or null.</param>
/// <param name="ResidentBytes">RAM the guest holds, in bytes.</param>
/// <param name="Fill">How far the RAM of a guest that resumed from a package has come; null for any other.</param>
/// <param name="Bases">Names of the RAM this peer knows the differences from: a destination that has one of them is sent only those.</param>
/// <param name="IsLeaseOver">Whether the guest stands still because its lease has run out; null for one that needs none. Since version 2.</param>
public sealed record PeerStatus(
    string Vm, long Epoch, long GrantedEpoch, PeerState State, bool IsLive, string? Operation, long ResidentBytes,
    PeerFill? Fill = null, IReadOnlyList<string>? Bases = null, bool? IsLeaseOver = null);
