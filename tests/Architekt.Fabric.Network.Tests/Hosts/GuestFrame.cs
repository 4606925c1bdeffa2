using System.Buffers.Binary;
using System.Net;

namespace Architekt.Fabric.Network.Tests.Hosts;

/// <summary>A frame as a guest's virtio-net gets it: struct virtio_net_hdr (10 bytes, host order), then Ethernet.</summary>
internal sealed class GuestFrame(byte[] bytes)
{
    private const int HeaderLength = 10, EthernetLength = 14;

    internal bool NeedsChecksum => (bytes[0] & 1) != 0;

    internal byte SegmentationType => bytes[1];

    internal int SegmentSize => BitConverter.ToUInt16(bytes, 4);

    internal byte[] Ethernet => bytes[HeaderLength..];

    internal MacAddress Destination => new(bytes.AsSpan(HeaderLength, MacAddress.Length));

    internal MacAddress Source => new(bytes.AsSpan(HeaderLength + MacAddress.Length, MacAddress.Length));

    /// <summary>All behind the two Ethernet addresses.</summary>
    internal byte[] Content => Ethernet[(2 * MacAddress.Length)..];

    internal int EtherType => BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(HeaderLength + 12));

    internal int Protocol => Packet[9];

    internal ReadOnlySpan<byte> Transport => Packet[IpHeaderLength..];

    internal ReadOnlySpan<byte> UdpPayload => Transport[8..];

    internal ReadOnlySpan<byte> TcpPayload => Transport[((Transport[12] >> 4) * 4)..];

    internal uint TcpSequence => BinaryPrimitives.ReadUInt32BigEndian(Transport[4..]);

    internal byte TcpFlags => Transport[13];

    internal int SourcePort => BinaryPrimitives.ReadUInt16BigEndian(Transport);

    private Span<byte> Packet
    {
        get
        {
            var packet = bytes.AsSpan(HeaderLength + EthernetLength);
            return packet[..BinaryPrimitives.ReadUInt16BigEndian(packet[2..])];
        }
    }

    private int IpHeaderLength => (Packet[0] & 15) * 4;

    /// <summary>Does what a guest does: completes the checksum if that was left to it, then checks.</summary>
    internal bool HasValidTransportChecksum()
    {
        var whole = (byte[])bytes.Clone();
        if (NeedsChecksum)
        {
            var start = BitConverter.ToUInt16(bytes, 6);
            var field = start + BitConverter.ToUInt16(bytes, 8);
            var end = HeaderLength + EthernetLength + Packet.Length;
            BinaryPrimitives.WriteUInt16BigEndian(whole.AsSpan(HeaderLength + field), (ushort)~Sum(whole.AsSpan((HeaderLength + start)..end)));
        }

        var completed = new GuestFrame(whole);
        return Sum(completed.Transport, PseudoHeader(completed.Packet, completed.Transport.Length)) == 0xffff;
    }

    /// <summary>A TCP segment with complete checksums, as a guest without off-load sends it.</summary>
    internal static byte[] BuildTcp(
        (MacAddress Mac, IPAddress Ip, int Port) from, (MacAddress Mac, IPAddress Ip, int Port) to, uint sequence, uint acknowledged, byte flags, ushort segmentSize)
    {
        const int IpLength = 20, TcpLength = 24;
        var frame = new byte[EthernetLength + IpLength + TcpLength];
        to.Mac.CopyTo(frame);
        from.Mac.CopyTo(frame.AsSpan(6));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), 0x0800);

        var packet = frame.AsSpan(EthernetLength);
        packet[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], IpLength + TcpLength);
        packet[8] = 64;
        packet[9] = 6;
        from.Ip.TryWriteBytes(packet[12..], out _);
        to.Ip.TryWriteBytes(packet[16..], out _);
        BinaryPrimitives.WriteUInt16BigEndian(packet[10..], (ushort)~Sum(packet[..IpLength]));

        var tcp = packet[IpLength..];
        BinaryPrimitives.WriteUInt16BigEndian(tcp, (ushort)from.Port);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[2..], (ushort)to.Port);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[4..], sequence);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[8..], acknowledged);
        tcp[12] = TcpLength / 4 << 4;
        tcp[13] = flags;
        BinaryPrimitives.WriteUInt16BigEndian(tcp[14..], 0xffff);
        (tcp[20], tcp[21]) = (2, 4);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[22..], segmentSize);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[16..], (ushort)~Sum(tcp, PseudoHeader(packet, TcpLength)));
        return frame;
    }

    private static uint PseudoHeader(ReadOnlySpan<byte> packet, int length) => Sum(packet[12..20], (uint)(packet[9] + length));

    private static ushort Sum(ReadOnlySpan<byte> data, uint start = 0)
    {
        var sum = (ulong)start;
        for (var i = 0; i < data.Length; i += 2)
            sum += (uint)(data[i] << 8) + (i + 1 < data.Length ? data[i + 1] : 0u);
        while (sum > 0xffff)
            sum = (sum >> 16) + (sum & 0xffff);
        return (ushort)sum;
    }
}
