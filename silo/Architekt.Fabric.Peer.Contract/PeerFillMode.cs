namespace Architekt.Fabric.Peer;

/// <summary>Body of <c>POST /v1/fill</c>: what to do about RAM that is not there yet.</summary>
/// <param name="Epoch">Must be the instance's own epoch.</param>
/// <param name="Mode"><c>none</c>, <c>idle</c> or <c>now</c>.</param>
public sealed record PeerFillMode(long Epoch, string Mode);
