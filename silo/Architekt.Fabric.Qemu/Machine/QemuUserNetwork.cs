using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Architekt.Fabric.Qemu;

/// <summary>
/// QEMU's user-mode network (<c>-netdev user</c>, qemu-system-x86_64(1)): needs no rights. What the guest sends goes out by sockets of QEMU's own user, and ports of the host lead to
/// ports of the guest.
/// </summary>
public sealed record QemuUserNetwork
{
    /// <summary>QEMU's own default, for a guest that may have any address.</summary>
    public const string DefaultAddress = "10.0.2.15/24";

    /// <summary>The gateway that goes with <see cref="DefaultAddress"/>.</summary>
    public const string DefaultGateway = "10.0.2.2";

    /// <summary>The guest, the host's side and the name server need one each, beside the two that are no host's.</summary>
    private const int LongestPrefix = 29;

    /// <summary>IPv4 address of the guest's card with its prefix length, at most 29. DHCP gives it this one, too.</summary>
    public required string GuestAddress { get; init; }

    /// <summary>IPv4 address the guest finds the host at, and its default gateway; null is the first that is free.</summary>
    public string? Gateway { get; init; }

    /// <summary>Ports of the host that lead to the guest.</summary>
    public IReadOnlyList<QemuForward> Forwards { get; init; } = [];

    /// <summary>MAC address of the guest's card, when that is on this network itself.</summary>
    public string? MacAddress { get; init; }

    /// <summary>
    /// Descriptor of the TAP at the near end of a cable to the guest's card, which is on a TAP of its own (<see cref="QemuMachine.Network"/>). For a card that was saved on a TAP: what it
    /// and its guest have agreed on about checksums and segments, this network cannot do by itself.
    /// </summary>
    public int? CableDescriptor { get; init; }

    /// <summary>Says what is wrong, or null.</summary>
    internal string? Problem()
    {
        if (!TryParse(GuestAddress, out var guest, out var prefix))
            return $"'{GuestAddress}' is not an IPv4 address with a prefix length of 1 to {LongestPrefix}, such as {DefaultAddress}";
        var mask = uint.MaxValue << (32 - prefix);
        if ((guest & ~mask) == 0 || (guest & ~mask) == ~mask) return $"'{GuestAddress}' is the address of a network and not of a guest in it";
        if (Gateway is not null && (!TryParseAddress(Gateway, out var gateway) || (gateway & mask) != (guest & mask) || gateway == guest))
            return $"the gateway '{Gateway}' is not an address beside the guest's in the network of {GuestAddress}";
        foreach (var forward in Forwards)
        {
            if (forward.Protocol is not ("tcp" or "udp") || !TryParseAddress(forward.HostAddress, out _) || !IsPort(forward.HostPort) || !IsPort(forward.GuestPort))
                return $"'{forward.Protocol}:{forward.HostAddress}:{forward.HostPort}' to port {forward.GuestPort} is no forward: tcp or udp, an IPv4 address, and ports of 1 to 65535";
        }

        return null;
    }

    /// <summary>The value of <c>-netdev</c>.</summary>
    internal string ToOption(string id)
    {
        _ = TryParse(GuestAddress, out var guest, out var prefix);
        var network = guest & (uint.MaxValue << (32 - prefix));
        var host = Gateway is not null && TryParseAddress(Gateway, out var gateway) ? gateway : Free(network, guest);
        var names = Free(network, guest, host);
        var address = Text(guest);
        var forwards = string.Concat(Forwards.Select(forward => string.Create(
            CultureInfo.InvariantCulture, $",hostfwd={forward.Protocol}:{forward.HostAddress}:{forward.HostPort}-{address}:{forward.GuestPort}")));
        return $"user,id={id},ipv6=off,net={Text(network)}/{prefix},host={Text(host)},dns={Text(names)},dhcpstart={address}{forwards}";
    }

    private static bool IsPort(int port) => port is >= 1 and <= ushort.MaxValue;

    private static uint Free(uint network, params ReadOnlySpan<uint> taken)
    {
        var address = network + 1;
        while (taken.Contains(address)) address++;
        return address;
    }

    private static bool TryParse(string text, out uint address, out int prefix)
    {
        (address, prefix) = (0, 0);
        return text.Split('/') is [var ip, var length] && TryParseAddress(ip, out address)
            && int.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out prefix) && prefix is >= 1 and <= LongestPrefix;
    }

    // Written back and compared, because IPAddress also reads 10.5 and 0x0a000005.
    private static bool TryParseAddress(string text, out uint address)
    {
        address = 0;
        if (!IPAddress.TryParse(text, out var parsed) || parsed.AddressFamily != AddressFamily.InterNetwork || parsed.ToString() != text) return false;
        address = BinaryPrimitives.ReadUInt32BigEndian(parsed.GetAddressBytes());
        return true;
    }

    private static string Text(uint address)
    {
        var bytes = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, address);
        return new IPAddress(bytes).ToString();
    }
}
