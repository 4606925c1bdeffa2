using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Architekt.Fabric.Network;

/// <summary>Frames that tell switches and neighbours where a guest is now.</summary>
public static class GratuitousAnnounce
{
    /// <summary>Length in bytes of what is built: the shortest Ethernet frame without its check sequence (IEEE 802.3).</summary>
    public const int FrameLength = 60;

    private const ushort EtherTypeArp = 0x0806;
    private const ushort EtherTypeRarp = 0x8035;
    private const ushort OperationArpRequest = 1;
    private const ushort OperationReverseRequest = 3;

    /// <summary>A reverse ARP request (RFC 903) for a station's own address: teaches bridges its port and needs no IP address. QEMU announces with the same.</summary>
    public static byte[] BuildRarp(MacAddress mac) => Build(mac, EtherTypeRarp, OperationReverseRequest, IPAddress.Any, mac);

    /// <summary>An ARP announcement (RFC 5227, section 2.3): teaches neighbours, too, that <paramref name="ip"/> is at <paramref name="mac"/>.</summary>
    /// <exception cref="ArgumentException"><paramref name="ip"/> is not IPv4.</exception>
    public static byte[] BuildGratuitousArp(MacAddress mac, IPAddress ip)
    {
        ArgumentNullException.ThrowIfNull(ip);
        if (ip.AddressFamily != AddressFamily.InterNetwork)
            throw new ArgumentException($"ARP announces IPv4 addresses, and {ip} is none.", nameof(ip));
        return Build(mac, EtherTypeArp, OperationArpRequest, ip, default);
    }

    /// <summary>Sends a frame through a TAP as if its guest had, so that every bridge on the way learns the guest's new port.</summary>
    /// <param name="tap">Up, and a port of its bridge. QEMU may hold it at the same time.</param>
    /// <param name="frame">From the destination address on, without check sequence.</param>
    /// <exception cref="NetworkException">The TAP is down.</exception>
    public static void SendThroughTap(TapDevice tap, ReadOnlySpan<byte> frame)
    {
        ArgumentNullException.ThrowIfNull(tap);
        tap.Inject(frame);
    }

    private static byte[] Build(MacAddress sender, ushort etherType, ushort operation, IPAddress ip, MacAddress target)
    {
        const ushort HardwareEthernet = 1;
        const ushort ProtocolIPv4 = 0x0800;

        var frame = new byte[FrameLength];
        var header = frame.AsSpan();
        MacAddress.Broadcast.CopyTo(header);
        sender.CopyTo(header[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(header[12..], etherType);

        // RFC 826: hardware, protocol, their lengths, operation, sender's and target's addresses.
        var arp = header[14..];
        BinaryPrimitives.WriteUInt16BigEndian(arp, HardwareEthernet);
        BinaryPrimitives.WriteUInt16BigEndian(arp[2..], ProtocolIPv4);
        arp[4] = MacAddress.Length;
        arp[5] = 4;
        BinaryPrimitives.WriteUInt16BigEndian(arp[6..], operation);
        sender.CopyTo(arp[8..]);
        ip.TryWriteBytes(arp[14..], out _);
        target.CopyTo(arp[18..]);
        ip.TryWriteBytes(arp[24..], out _);
        return frame;
    }
}
