using System.Buffers;
using System.Runtime.InteropServices;
using Architekt.Fabric.Network.Interop;

namespace Architekt.Fabric.Network;

/// <summary>Keeps the frames that arrive for a guest while it stands still, and sends them after it to where it goes on.</summary>
/// <remarks>
/// Without this they are lost in the source's TAP, and a TCP client waits for its retransmission timer (200 ms and more) after a pause of a
/// few milliseconds. The kernel copies what the bridge hands to the TAP into the receive buffer of a packet socket; nothing runs and
/// nothing is allocated here until <see cref="ForwardTo"/>. Checksums still to be computed and segments still to be cut travel along
/// (PACKET_VNET_HDR), and so do VLAN tags.
/// <para>What is sent on differs in its Ethernet addresses only. It comes from the bridge's own address: with the client's, the switches on
/// the way would believe the client to be behind this host, and lose the guest's answer. Broadcasts go to the guest alone: the others
/// have had theirs. Addresses behind the guest (a bridge in it) are not followed.</para>
/// <para>Order: <see cref="Capture"/> in time (the kernel starts to stamp frames some milliseconds later; one without a stamp counts as
/// new), <see cref="Discard"/> right before the stop; after the commit the destination announces the guest,
/// the source's TAP is detached, then <see cref="ForwardTo"/>. Dispose outside the pause: closing a packet socket waits for the kernel.</para>
/// <para>A frame that the guest had taken just before the stop may reach it twice; networks do that, and IP stacks expect it.</para>
/// Belongs to the network namespace of the thread that called <see cref="Capture"/>. Not thread safe.
/// </remarks>
public sealed class InFlightFrames : IDisposable
{
    // The kernel doubles it and counts its own overhead: some 7000 full frames, 8 ms of a saturated 10 Gbit/s link.
    private const int BufferBytes = 8 << 20;

    // A frame counts as 512 bytes at least. Under a steady stream the socket would never be empty.
    private const int MostFrames = 2 * BufferBytes / 512;

    // Marks what we send, so that it is not captured again while the source's TAP is still a port of the bridge. "AK".
    private const int Mark = 0x414b;

    private readonly Descriptor _receiver;
    private readonly Descriptor _sender;
    private readonly InterfaceControl _control;
    private readonly string _tap;
    private readonly MacAddress _guest;
    private int _unsendable;

    private InFlightFrames(string tap, MacAddress guest, Descriptor receiver, Descriptor sender, InterfaceControl control)
    {
        _tap = tap;
        _guest = guest;
        _receiver = receiver;
        _sender = sender;
        _control = control;
    }

    /// <summary>Frames that could not be kept or passed on so far: buffer full, or refused by the bridge.</summary>
    public int Lost
    {
        get
        {
            _unsendable += PacketSocket.TakeDropped(_receiver);
            return _unsendable;
        }
    }

    /// <summary>Begins to keep what is sent towards the guest through this TAP.</summary>
    /// <param name="tapName">The TAP at the source.</param>
    /// <param name="guest">The guest's address: frames to it and to all are kept, frames from it are not.</param>
    /// <exception cref="NetworkException">No such interface, or no right (CAP_NET_RAW).</exception>
    public static InFlightFrames Capture(string tapName, MacAddress guest)
    {
        var control = new InterfaceControl();
        Descriptor? receiver = null, sender = null;
        try
        {
            receiver = PacketSocket.Open();
            PacketSocket.AttachFilter(receiver, InFlightFilter.For(guest, Mark));
            PacketSocket.Set(receiver, PacketSocket.LevelPacket, PacketSocket.VirtioHeader, 1);
            PacketSocket.Set(receiver, PacketSocket.LevelPacket, PacketSocket.AuxiliaryData, 1);
            PacketSocket.Set(receiver, PacketSocket.LevelSocket, PacketSocket.Timestamp, 1);
            PacketSocket.SetBuffers(receiver, BufferBytes);

            sender = PacketSocket.Open();
            PacketSocket.Set(sender, PacketSocket.LevelPacket, PacketSocket.VirtioHeader, 1);
            PacketSocket.Set(sender, PacketSocket.LevelSocket, PacketSocket.Mark, Mark);
            PacketSocket.SetBuffers(sender, BufferBytes);

            PacketSocket.Bind(receiver, control.IndexOf(tapName), PacketSocket.AllProtocols, tapName);
            return new InFlightFrames(tapName, guest, receiver, sender, control);
        }
        catch
        {
            receiver?.Dispose();
            sender?.Dispose();
            control.Dispose();
            throw;
        }
    }

    /// <summary>Forgets what has been kept so far, so that the whole buffer is free for the pause. Returns the number of frames.</summary>
    public int Discard()
    {
        Span<byte> none = stackalloc byte[CapturedFrame.HeaderLength];
        var count = 0;
        while (CapturedFrame.Skip(_receiver, none))
            count++;
        return count;
    }

    /// <summary>Sends what was kept and is not older than <paramref name="sinceUtc"/> out of a bridge, which passes it on to where the guest is.</summary>
    /// <remarks>Can be called again for what arrived in the meantime.</remarks>
    /// <param name="bridgeName">The bridge that the TAP was a port of.</param>
    /// <param name="sinceUtc">When the source stopped, by this host's clock.</param>
    /// <returns>Number of frames sent.</returns>
    /// <exception cref="NetworkException">There is no such bridge.</exception>
    public int ForwardTo(string bridgeName, DateTimeOffset sinceUtc)
    {
        PacketSocket.Bind(_sender, _control.IndexOf(bridgeName), protocol: 0, bridgeName);
        var host = _control.HardwareAddressOf(bridgeName);
        var buffer = ArrayPool<byte>.Shared.Rent(CapturedFrame.BufferLength);
        try
        {
            var sent = 0;
            for (var read = 0; read < MostFrames; read++)
            {
                var outcome = CapturedFrame.Read(_receiver, buffer, out var frame);
                if (outcome == ReadOutcome.Empty)
                    break;
                if (outcome == ReadOutcome.Frame && frame.ReceivedUtc < sinceUtc)
                    continue;

                if (outcome == ReadOutcome.Frame && Send(frame.Readdress(_guest, host)))
                    sent++;
                else
                    _unsendable++;
            }

            return sent;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Drops what is still kept.</summary>
    public void Dispose()
    {
        _receiver.Dispose();
        _sender.Dispose();
        _control.Dispose();
    }

    /// <inheritdoc/>
    public override string ToString() => $"frames in flight to '{_tap}'";

    private unsafe bool Send(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            nint sent;
            do
                sent = NativeMethods.Send(_sender, start, (nuint)bytes.Length, 0);
            while (sent < 0 && Marshal.GetLastPInvokeError() == NativeMethods.Interrupted);
            return sent == bytes.Length;
        }
    }
}
