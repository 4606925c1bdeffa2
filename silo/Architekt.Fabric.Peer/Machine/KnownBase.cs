using Architekt.Fabric.Memory;

namespace Architekt.Fabric.Peer.Machine;

/// <summary>What differs from some RAM that another host may have.</summary>
/// <param name="Name">Names that RAM: <see cref="PeerBase.Name"/>.</param>
/// <param name="Differing">All pages that differ, perhaps some that do not.</param>
internal sealed record KnownBase(string Name, PageSet Differing);
