namespace Architekt.Fabric.Peer;

/// <summary>A port of the host that leads to one of the guest.</summary>
/// <param name="Protocol"><c>tcp</c> or <c>udp</c>.</param>
/// <param name="HostAddress">IPv4 address of the host to listen on.</param>
/// <param name="HostPort">1 to 65535.</param>
/// <param name="GuestPort">1 to 65535.</param>
public sealed record PeerForward(string Protocol, string HostAddress, int HostPort, int GuestPort);
