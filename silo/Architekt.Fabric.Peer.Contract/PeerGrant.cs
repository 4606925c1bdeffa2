namespace Architekt.Fabric.Peer;

/// <summary>Body of <c>POST /v1/boot</c> and <c>/v1/run</c>: the right to let the guest run.</summary>
/// <param name="Epoch">Must be the instance's own epoch.</param>
/// <param name="IsRehearsal">Only with <c>run</c>: grants nothing and does nothing, so that the call in the pause is not the first.</param>
public sealed record PeerGrant(long Epoch, bool IsRehearsal = false);
