namespace Architekt.Fabric.Peer;

/// <summary>
/// Body of <c>POST /v1/checkpoint/name</c>: what the RAM of a checkpoint is called where others may have it, so that a migration to one of them sends only what differs from it.
/// </summary>
/// <param name="Epoch">Must be the instance's own epoch.</param>
/// <param name="Operation">The checkpoint's.</param>
/// <param name="Name">The digest of the package that was made of it.</param>
public sealed record PeerBaseName(long Epoch, string Operation, string Name);
