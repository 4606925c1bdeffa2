using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Architekt.Init.Interop;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Init.Power;

/// <summary>What the kernel says of devices that come and go: uevents, Documentation/driver-api/driver-model and netlink(7), NETLINK_KOBJECT_UEVENT.</summary>
internal sealed class DeviceNews : IDisposable
{
    // Of the kernel itself; the second group is udev's.
    private const uint KernelGroup = 1;
    private const int AddressSize = 12; // struct sockaddr_nl
    private const int TimeSize = 16; // struct timeval

    // UEVENT_BUFFER_SIZE is 2048, include/linux/kobject.h; the name comes before it.
    private const int LongestMessage = 4096;

    private readonly SafeFileHandle _socket;
    private readonly long _deadline;

    private DeviceNews(SafeFileHandle socket, TimeSpan patience) => (_socket, _deadline) = (socket, Environment.TickCount64 + (long)patience.TotalMilliseconds);

    /// <summary>Hears everything from now on.</summary>
    /// <param name="patience">After so long nothing more is expected.</param>
    internal static DeviceNews Open(TimeSpan patience)
    {
        var socket = NetworkCalls.Socket(NetworkCalls.FamilyNetlink, NetworkCalls.Datagram | NetworkCalls.CloseOnExec, NetworkCalls.DeviceEvents);
        Span<byte> address = stackalloc byte[AddressSize];
        address.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(address, NetworkCalls.FamilyNetlink);
        BinaryPrimitives.WriteUInt32LittleEndian(address[8..], KernelGroup);
        if (socket.IsInvalid || NetworkCalls.Bind(socket, address, address.Length) != 0)
            GuestConsole.Say($"devices that appear from now on are not seen: {LibC.LastError()}");
        return new DeviceNews(socket, patience);
    }

    /// <summary>Waits, without waking up for anything else.</summary>
    /// <param name="words">What the message has to contain.</param>
    /// <returns>False when nothing came in time.</returns>
    internal bool WaitFor(ReadOnlySpan<byte> words)
    {
        Span<byte> message = stackalloc byte[LongestMessage];
        while (!_socket.IsInvalid)
        {
            var left = _deadline - Environment.TickCount64;
            if (left <= 0 || !SetTimeout(left))
                return false;
            var count = LibC.Read(_socket, message, message.Length);
            if (count > 0 && message[..(int)count].IndexOf(words) >= 0)
                return true;

            // Some were lost, and it may have been among them.
            if (count < 0 && Marshal.GetLastPInvokeError() == LibC.NoBuffer)
                return true;
            if (count < 0 && Marshal.GetLastPInvokeError() is not (LibC.Interrupted or LibC.TryAgain))
                return false;
        }

        return false;
    }

    public void Dispose() => _socket.Dispose();

    private bool SetTimeout(long milliseconds)
    {
        Span<byte> time = stackalloc byte[TimeSize];
        BinaryPrimitives.WriteInt64LittleEndian(time, milliseconds / 1000);
        BinaryPrimitives.WriteInt64LittleEndian(time[8..], milliseconds % 1000 * 1000);
        return NetworkCalls.SetOption(_socket, NetworkCalls.SocketLevel, NetworkCalls.ReceiveTimeout, time, time.Length) == 0;
    }
}
