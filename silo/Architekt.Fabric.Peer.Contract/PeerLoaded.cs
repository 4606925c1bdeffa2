namespace Architekt.Fabric.Peer;

/// <summary>Answer to <c>POST /v1/loaded</c>.</summary>
/// <param name="IsLoaded">The device state is loaded.</param>
/// <param name="Error">Why it never will be, or null.</param>
/// <param name="LoadMs">How long loading took.</param>
/// <param name="Digest">Digest of the RAM before loading, if asked for.</param>
public sealed record PeerLoaded(bool IsLoaded, string? Error, double LoadMs, string? Digest);
