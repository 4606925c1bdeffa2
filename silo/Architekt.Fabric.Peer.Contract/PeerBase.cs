namespace Architekt.Fabric.Peer;

/// <summary>RAM that the destination has already: the source sends only what differs from it.</summary>
/// <param name="Name">One of <see cref="PeerStatus.Bases"/> of the source: the digest of a package, or <see cref="PeerReleased.KeptBase"/>.</param>
/// <param name="MemoryPath">A file with that RAM. One that is not there, or is of another size, counts as none.</param>
/// <param name="Adopt">
/// The file becomes the guest's RAM, by rename, instead of being copied: it is gone afterwards, whatever becomes of the migration. Must be on the instance folder's file system.
/// </param>
public sealed record PeerBase(string Name, string MemoryPath, bool Adopt = false);
