namespace Architekt.Fabric.Qemu;

/// <summary>A port of the host that leads to one of the guest, on a <see cref="QemuUserNetwork"/>.</summary>
/// <param name="Protocol"><c>tcp</c> or <c>udp</c>.</param>
/// <param name="HostAddress">IPv4 address of the host to listen on; 0.0.0.0 is all of them.</param>
/// <param name="HostPort">1 to 65535.</param>
/// <param name="GuestPort">1 to 65535.</param>
public sealed record QemuForward(string Protocol, string HostAddress, int HostPort, int GuestPort);
