using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Architekt.Fabric.Runner;

/// <summary>A port of this machine that leads to one of the guest.</summary>
/// <param name="Protocol"><c>tcp</c> or <c>udp</c>.</param>
/// <param name="HostAddress">IPv4 address of this machine to listen on; 0.0.0.0 is all of them.</param>
/// <param name="HostPort">1 to 65535.</param>
/// <param name="GuestPort">1 to 65535.</param>
public sealed record PortForward(string Protocol, string HostAddress, int HostPort, int GuestPort)
{
    /// <summary>Where a forward listens that names no address: a guest is for this machine only until somebody says otherwise.</summary>
    public const string DefaultAddress = "127.0.0.1";

    /// <summary>Reads <c>[ADDRESS:]HOSTPORT:GUESTPORT[/tcp|/udp]</c>.</summary>
    public static bool TryParse(string text, out PortForward forward)
    {
        ArgumentNullException.ThrowIfNull(text);
        forward = new PortForward("tcp", DefaultAddress, 0, 0);
        if (text.Split('/') is not { Length: 1 or 2 } halves) return false;
        var parts = halves[0].Split(':');
        if (parts.Length is not (2 or 3)) return false;
        var protocol = halves.Length == 2 ? halves[1] : "tcp";
        var address = parts.Length == 3 ? parts[0] : DefaultAddress;
        if (protocol is not ("tcp" or "udp") || !IsAddress(address) || !TryParsePort(parts[^2], out var host) || !TryParsePort(parts[^1], out var guest)) return false;
        forward = new PortForward(protocol, address, host, guest);
        return true;
    }

    /// <summary>As <see cref="TryParse"/> reads it.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{HostAddress}:{HostPort}:{GuestPort}/{Protocol}");

    private static bool TryParsePort(string text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is >= 1 and <= ushort.MaxValue;

    // Written back and compared, because IPAddress also reads 10.5 and 0x0a000005.
    private static bool IsAddress(string text) =>
        IPAddress.TryParse(text, out var address) && address.AddressFamily == AddressFamily.InterNetwork && address.ToString() == text;
}
