using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Architekt.Fabric.Network.Interop;

namespace Architekt.Fabric.Network;

internal enum ReadOutcome
{
    /// <summary>A frame was read.</summary>
    Frame,

    /// <summary>A frame was taken out of the queue that cannot be sent on: too long, or of a kind that has no virtio_net_hdr.</summary>
    Unusable,

    /// <summary>Nothing is waiting.</summary>
    Empty,
}

/// <summary>A frame out of a packet socket, in the form in which another one takes it: virtio_net_hdr (linux/virtio_net.h), then the frame.</summary>
internal readonly ref struct CapturedFrame
{
    /// <summary>sizeof(struct virtio_net_hdr).</summary>
    internal const int HeaderLength = 10;

    /// <summary>A segmented frame has up to 64 KiB; IPv6 jumbograms (gso_max_size) more.</summary>
    internal const int BufferLength = 256 * 1024;

    private const int AddressesLength = 2 * MacAddress.Length;
    private const int VlanTagLength = 4;
    private const int TagOffset = HeaderLength + AddressesLength;

    private const byte NeedsChecksum = 1; // VIRTIO_NET_HDR_F_NEEDS_CSUM
    private const int FlagsOffset = 0, HeadersLengthOffset = 2, ChecksumStartOffset = 6;

    private CapturedFrame(Span<byte> bytes, DateTimeOffset receivedUtc)
    {
        Bytes = bytes;
        ReceivedUtc = receivedUtc;
    }

    internal Span<byte> Bytes { get; }

    /// <summary>When the kernel passed it to the interface, by the host's clock.</summary>
    internal DateTimeOffset ReceivedUtc { get; }

    /// <summary>Changes both Ethernet addresses in place.</summary>
    internal ReadOnlySpan<byte> Readdress(MacAddress destination, MacAddress source)
    {
        destination.CopyTo(Bytes[HeaderLength..]);
        source.CopyTo(Bytes[(HeaderLength + MacAddress.Length)..]);
        return Bytes;
    }

    /// <summary>Takes a frame out of the queue without looking at it. False when there is none.</summary>
    internal static unsafe bool Skip(Descriptor socket, Span<byte> header)
    {
        fixed (byte* start = header)
        {
            var vector = new IoVector { Start = start, Length = (nuint)header.Length };
            var message = new MessageHeader { Vectors = &vector, VectorCount = 1 };
            return Receive(socket, ref message, out _) != ReadOutcome.Empty;
        }
    }

    internal static unsafe ReadOutcome Read(Descriptor socket, Span<byte> buffer, out CapturedFrame frame)
    {
        frame = default;
        var control = stackalloc byte[256];
        var vectors = stackalloc IoVector[2];
        fixed (byte* start = buffer)
        {
            // The kernel hands out VLAN tags apart from the frame; the gap is for putting one back without moving the frame.
            vectors[0] = new IoVector { Start = start, Length = TagOffset };
            vectors[1] = new IoVector { Start = start + TagOffset + VlanTagLength, Length = (nuint)(buffer.Length - TagOffset - VlanTagLength) };
            var message = new MessageHeader { Vectors = vectors, VectorCount = 2, Control = control, ControlLength = 256 };

            var outcome = Receive(socket, ref message, out var length);
            if (outcome != ReadOutcome.Frame)
                return outcome;
            if (length < TagOffset || length > buffer.Length - VlanTagLength)
                return ReadOutcome.Unusable;

            ReadControl(ref message, out var receivedUtc, out var auxiliary);
            frame = new CapturedFrame(Complete(buffer[..(length + VlanTagLength)], auxiliary), receivedUtc);
            return ReadOutcome.Frame;
        }
    }

    private static ReadOutcome Receive(Descriptor socket, ref MessageHeader message, out int length)
    {
        while (true)
        {
            length = (int)NativeMethods.Receive(socket, ref message, NativeMethods.MessageDoNotWait | NativeMethods.MessageTruncated);
            if (length >= 0)
                return ReadOutcome.Frame;

            switch (Marshal.GetLastPInvokeError())
            {
                case NativeMethods.WouldBlock:
                    return ReadOutcome.Empty;
                case NativeMethods.Invalid:
                    return ReadOutcome.Unusable;
                case NativeMethods.Interrupted:
                case NativeMethods.NetworkDown: // Told once when the TAP goes down or away; what was queued is still there.
                    continue;
                default:
                    throw NetworkException.FromLastError("Captured frames cannot be read");
            }
        }
    }

    private static unsafe void ReadControl(ref MessageHeader message, out DateTimeOffset receivedUtc, out PacketAuxiliary auxiliary)
    {
        // The kernel stamps a frame at the latest when it is read. Should a stamp be missing, the frame counts as new: one too many does no harm.
        receivedUtc = DateTimeOffset.MaxValue;
        auxiliary = default;
        var left = new ReadOnlySpan<byte>(message.Control, (int)message.ControlLength);
        while (left.Length >= Unsafe.SizeOf<ControlHeader>())
        {
            var header = MemoryMarshal.Read<ControlHeader>(left);
            if ((int)header.Length < Unsafe.SizeOf<ControlHeader>() || (int)header.Length > left.Length)
                return;

            var data = left[Unsafe.SizeOf<ControlHeader>()..(int)header.Length];
            if (header is { Level: PacketSocket.LevelSocket, Type: PacketSocket.Timestamp })
                receivedUtc = ToUtc(MemoryMarshal.Read<long>(data), MemoryMarshal.Read<long>(data[sizeof(long)..]));
            else if (header is { Level: PacketSocket.LevelPacket, Type: PacketSocket.AuxiliaryData })
                auxiliary = MemoryMarshal.Read<PacketAuxiliary>(data);

            var aligned = ((int)header.Length + sizeof(long) - 1) & ~(sizeof(long) - 1);
            left = aligned < left.Length ? left[aligned..] : default;
        }
    }

    private static DateTimeOffset ToUtc(long seconds, long nanoseconds)
        => DateTimeOffset.UnixEpoch.AddTicks((seconds * TimeSpan.TicksPerSecond) + (nanoseconds / TimeSpan.NanosecondsPerTick));

    private static Span<byte> Complete(Span<byte> bytes, PacketAuxiliary auxiliary)
    {
        if ((auxiliary.Status & PacketAuxiliary.StatusVlanValid) == 0)
        {
            bytes[..TagOffset].CopyTo(bytes[VlanTagLength..]);
            return bytes[VlanTagLength..];
        }

        const ushort CustomerTag = 0x8100;
        var protocol = (auxiliary.Status & PacketAuxiliary.StatusVlanProtocolValid) != 0 ? auxiliary.VlanProtocol : CustomerTag;
        BinaryPrimitives.WriteUInt16BigEndian(bytes[TagOffset..], protocol);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[(TagOffset + 2)..], auxiliary.VlanTag);
        Grow(bytes[HeadersLengthOffset..]);
        if ((bytes[FlagsOffset] & NeedsChecksum) != 0)
            Grow(bytes[ChecksumStartOffset..]);
        return bytes;
    }

    // virtio_net_hdr without VIRTIO_F_VERSION_1 is in the byte order of the host.
    private static void Grow(Span<byte> field)
    {
        var value = MemoryMarshal.Read<ushort>(field);
        if (value != 0)
            MemoryMarshal.Write(field, (ushort)(value + VlanTagLength));
    }
}
