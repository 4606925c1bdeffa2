namespace Architekt.Fabric.Peer;

/// <summary>Answer to <c>POST /v1/release</c>.</summary>
/// <param name="FramesCarried">Frames forwarded to where the guest is now.</param>
public sealed record PeerReleased(int FramesCarried);
