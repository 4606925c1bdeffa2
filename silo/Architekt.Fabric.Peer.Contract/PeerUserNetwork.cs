namespace Architekt.Fabric.Peer;

/// <summary>QEMU's user-mode network in place of a bridge: needs no rights on the host, and the guest cannot be moved away from it.</summary>
/// <param name="GuestAddress">IPv4 address and prefix length the guest has, <c>10.0.2.15/24</c>.</param>
/// <param name="Gateway">IPv4 address it reaches the host at; null for one of QEMU's choice.</param>
/// <param name="Forwards">Ports of the host that lead to the guest.</param>
/// <param name="IsCardOnTap">
/// The guest's card is on a TAP, as wherever <see cref="PeerInstance.TapName"/> is given, and the network is reached by a private cable: a card that was saved on a TAP can be loaded
/// onto a TAP only. Needs /dev/net/tun and network namespaces.
/// </param>
public sealed record PeerUserNetwork(string GuestAddress, string? Gateway, IReadOnlyList<PeerForward> Forwards, bool IsCardOnTap);
