namespace Architekt.Fabric.Peer;

/// <summary>Answer to <c>POST /v1/release</c>.</summary>
/// <param name="FramesCarried">Frames forwarded to where the guest is now.</param>
/// <param name="KeptBase">
/// The <see cref="PeerBase.Name"/> of the RAM that is being kept; null if none is. It is complete when <see cref="PeerApi.ExitFile"/> is there, and is where it was to be kept only then.
/// </param>
public sealed record PeerReleased(int FramesCarried, string? KeptBase = null);
