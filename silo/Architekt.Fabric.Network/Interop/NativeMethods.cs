using System.Runtime.InteropServices;

namespace Architekt.Fabric.Network.Interop;

internal static unsafe partial class NativeMethods
{
    // fcntl.h, sys/socket.h (x86-64 and Arm64 agree).
    internal const int OpenReadWriteCloseOnExec = 0x80002;
    internal const int FcntlGetFlags = 1;
    internal const int FcntlSetFlags = 2;
    internal const int CloseOnExec = 1;
    internal const int AddressFamilyInternet = 2;
    internal const int AddressFamilyPacket = 17;
    internal const int SocketDatagram = 2;
    internal const int SocketRaw = 3;
    internal const int SocketCloseOnExec = 0x80000;
    internal const int MessageDoNotWait = 0x40;
    internal const int MessageTruncated = 0x20;

    // linux/if_tun.h
    internal const nuint TunSetInterface = 0x400454ca;
    internal const nuint TunSetPersistent = 0x400454cb;
    internal const nuint TunGetHeaderSize = 0x800454d7;
    internal const short TunTap = 0x0002;
    internal const short TunNoPacketInformation = 0x1000;
    internal const short TunVirtioHeader = 0x4000;

    // linux/sockios.h
    internal const nuint GetInterfaceFlags = 0x8913;
    internal const nuint SetInterfaceFlags = 0x8914;
    internal const nuint GetInterfaceMtu = 0x8921;
    internal const nuint SetInterfaceMtu = 0x8922;
    internal const nuint SetHardwareAddress = 0x8924;
    internal const nuint GetHardwareAddress = 0x8927;
    internal const nuint GetInterfaceIndex = 0x8933;
    internal const nuint BridgeAddInterface = 0x89a2;
    internal const nuint BridgeRemoveInterface = 0x89a3;

    internal const short InterfaceUp = 1;

    // The generic system call table (asm-generic/unistd.h); since 424 all architectures share the numbers.
    internal const nint SysPidfdOpen = 434;
    internal const nint SysPidfdGetDescriptor = 438;

    // errno.h
    internal const int NoEntry = 2;
    internal const int Interrupted = 4;
    internal const int WouldBlock = 11;
    internal const int Busy = 16;
    internal const int NoDevice = 19;
    internal const int Invalid = 22;
    internal const int NetworkDown = 100;
    internal const int NoBuffers = 105;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial Descriptor Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(nint descriptor);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    internal static partial int Control(Descriptor descriptor, int command, nint argument);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    internal static partial int Ioctl(Descriptor descriptor, nuint request, ref InterfaceRequest argument);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    internal static partial int Ioctl(Descriptor descriptor, nuint request, nint argument);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    internal static partial int Ioctl(Descriptor descriptor, nuint request, out int argument);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    internal static partial nint Write(Descriptor descriptor, byte* bytes, nuint length);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    internal static partial Descriptor Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    internal static partial int Bind(Descriptor socket, in PacketAddress address, uint length);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    internal static partial int SetOption(Descriptor socket, int level, int name, void* value, uint length);

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    internal static partial int GetOption(Descriptor socket, int level, int name, void* value, ref uint length);

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    internal static partial nint Receive(Descriptor socket, ref MessageHeader message, int flags);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    internal static partial nint Send(Descriptor socket, byte* bytes, nuint length, int flags);

    /// <summary>pidfd_open(2); called by number because glibc has the wrapper only since 2.36.</summary>
    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    internal static partial Descriptor OpenProcess(nint number, nint pid, nint flags);

    /// <summary>pidfd_getfd(2): a copy of another process's descriptor, with close-on-exec.</summary>
    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    internal static partial Descriptor GetDescriptor(nint number, Descriptor process, nint descriptor, nint flags);
}
