using System.Runtime.InteropServices;
using Architekt.Fabric.Network.Interop;

namespace Architekt.Fabric.Network;

/// <summary>Notices that a guest has announced itself from another place: a frame from its own address that comes to its TAP from outside.</summary>
/// <remarks>
/// By then every bridge on the way, this host's too, knows the guest's new port, so it is the moment to send frames after it
/// (<see cref="InFlightFrames.ForwardTo"/>). Belongs to the network namespace of the thread that called <see cref="Begin"/>.
/// </remarks>
public sealed class AnnouncementWatch : IDisposable
{
    private readonly Descriptor _socket;

    private AnnouncementWatch(Descriptor socket) => _socket = socket;

    /// <summary>Begins to listen; what was announced before is not seen.</summary>
    /// <param name="tapName">The TAP the guest was behind until now.</param>
    /// <param name="guest">The guest's address.</param>
    /// <param name="longestWait">How long one <see cref="Wait"/> takes at most; from 1 ms.</param>
    /// <exception cref="NetworkException">No such interface, or no right (CAP_NET_RAW).</exception>
    public static AnnouncementWatch Begin(string tapName, MacAddress guest, TimeSpan longestWait)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(longestWait, TimeSpan.FromMilliseconds(1));
        using var control = new InterfaceControl();
        var socket = PacketSocket.Open();
        try
        {
            PacketSocket.AttachFilter(socket, InFlightFilter.FromElsewhere(guest));
            PacketSocket.SetReceiveTimeout(socket, longestWait);
            PacketSocket.Bind(socket, control.IndexOf(tapName), PacketSocket.AllProtocols, tapName);
            return new AnnouncementWatch(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Blocks until the guest has announced itself, or for the longest wait. True if it has.</summary>
    public unsafe bool Wait()
    {
        var none = stackalloc byte[CapturedFrame.HeaderLength];
        var vector = new IoVector { Start = none, Length = CapturedFrame.HeaderLength };
        var message = new MessageHeader { Vectors = &vector, VectorCount = 1 };
        if (NativeMethods.Receive(_socket, ref message, NativeMethods.MessageTruncated) >= 0) return true;
        return Marshal.GetLastPInvokeError() is NativeMethods.WouldBlock or NativeMethods.Interrupted or NativeMethods.NetworkDown
            ? false
            : throw NetworkException.FromLastError("Announcements cannot be listened for");
    }

    /// <summary>Ends listening. Not in a pause: closing a packet socket waits for the kernel.</summary>
    public void Dispose() => _socket.Dispose();
}
