namespace Architekt.Fabric.Peer;

/// <summary>Body of <c>POST /v1/boot</c> and <c>/v1/run</c>: the right to let the guest run.</summary>
/// <param name="Epoch">Must be the instance's own epoch.</param>
public sealed record PeerGrant(long Epoch);
