namespace Architekt.Fabric.Peer;

/// <summary>Body of <c>POST /v1/stop</c>.</summary>
/// <param name="Epoch">Must be the instance's own epoch.</param>
/// <param name="Force">End QEMU instead of asking the guest.</param>
public sealed record PeerStop(long Epoch, bool Force);
