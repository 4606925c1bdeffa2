using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Init.Interop;

/// <summary>Sockets and the ioctls of netdevice(7) and route(8).</summary>
internal static partial class NetworkCalls
{
    internal const int FamilyInternet = 2;
    internal const int FamilyNetlink = 16;
    internal const int Stream = 1;
    internal const int Datagram = 2;
    internal const int CloseOnExec = 0x80000;

    // NETLINK_KOBJECT_UEVENT, include/uapi/linux/netlink.h.
    internal const int DeviceEvents = 15;

    // SOL_SOCKET and SO_RCVTIMEO, socket(7).
    internal const int SocketLevel = 1;
    internal const int ReceiveTimeout = 20;

    // include/uapi/linux/sockios.h.
    internal const nuint AddRoute = 0x890B;
    internal const nuint SetFlags = 0x8914;
    internal const nuint SetAddress = 0x8916;
    internal const nuint SetBroadcast = 0x891A;
    internal const nuint SetNetMask = 0x891C;

    // include/uapi/linux/if.h and route.h.
    internal const short InterfaceUp = 1;
    internal const short InterfaceRunning = 0x40;
    internal const short RouteUp = 1;
    internal const short RouteGateway = 2;

    /// <summary>struct ifreq: a name of 16 bytes and a union of 24.</summary>
    internal const int InterfaceRequestSize = 40;

    internal const int InterfaceNameSize = 16;

    /// <summary>struct rtentry: a long, three sockaddr of 16 bytes, flags, and more that stays zero.</summary>
    internal const int RouteSize = 120;

    internal const int SocketAddressSize = 16;

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    internal static partial SafeFileHandle Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    internal static partial int Connect(SafeFileHandle socket, ReadOnlySpan<byte> address, int length);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    internal static partial int Bind(SafeFileHandle socket, ReadOnlySpan<byte> address, int length);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    internal static partial int SetOption(SafeFileHandle socket, int level, int option, ReadOnlySpan<byte> value, int length);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    internal static partial int Control(SafeFileHandle file, nuint request, ReadOnlySpan<byte> argument);
}
