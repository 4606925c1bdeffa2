using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Agent.Interop;

/// <summary>clock_settime(2), sethostname(2), the ioctls of random(4), netdevice(7) and, for routes, linux/sockios.h.</summary>
internal static unsafe partial class LibC
{
    internal const int ClockRealTime = 0;

    // _IOW('R', 0x03, int[2]) and _IO('R', 0x07), include/uapi/linux/random.h.
    internal const nuint AddEntropy = 0x40085203;
    internal const nuint ReseedGenerator = 0x5207;

    // SIOC..., include/uapi/linux/sockios.h.
    internal const nuint AddRoute = 0x890B;
    internal const nuint DeleteRoute = 0x890C;
    internal const nuint GetInterfaceFlags = 0x8913;
    internal const nuint SetInterfaceFlags = 0x8914;
    internal const nuint SetInterfaceAddress = 0x8916;
    internal const nuint SetInterfaceNetmask = 0x891C;
    internal const nuint SetHardwareAddress = 0x8924;

    // O_WRONLY, O_CREAT, O_TRUNC, O_CLOEXEC, include/uapi/asm-generic/fcntl.h.
    private const int OpenNew = 0x1 | 0x40 | 0x200 | 0x80000;

    // O_RDONLY or O_RDWR, O_CLOEXEC.
    private const int OpenToRead = 0x80000;
    private const int OpenToUse = 0x2 | 0x80000;

    // Some thirty routes.
    private const int FirstRead = 4096;

    // Both files that are written are for everyone to read: machine-id(5), hostname(5).
    private const int Readable = 0x1A4; // 0644

    internal static string LastError() => Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());

    [LibraryImport("libc", EntryPoint = "sethostname", SetLastError = true)]
    internal static partial int SetHostname(ReadOnlySpan<byte> name, nuint length);

    /// <summary>Writes a file that everybody may read; <see cref="LastError"/> tells why if it cannot.</summary>
    internal static bool WriteFile(string path, ReadOnlySpan<byte> content)
    {
        using var file = Open(path, OpenNew, Readable);
        return !file.IsInvalid && Write(file, content, (nuint)content.Length) == content.Length && ChangeMode(file, Readable) == 0;
    }

    /// <summary>Opens a device to read, write and control it; invalid, and <see cref="LastError"/> tells why, if that cannot be done.</summary>
    internal static SafeFileHandle OpenDevice(string path) => Open(path, OpenToUse, 0);

    /// <summary>Reads all of a file; null, and <see cref="LastError"/> tells why, if that cannot be done.</summary>
    internal static byte[]? ReadFile(string path)
    {
        using var file = Open(path, OpenToRead, 0);
        if (file.IsInvalid)
            return null;
        var content = new byte[FirstRead];
        var length = 0;
        while (true)
        {
            var count = Read(file, content.AsSpan(length), (nuint)(content.Length - length));
            if (count < 0)
                return null;
            if (count == 0)
                return content[..length];
            length += (int)count;
            if (length == content.Length)
                Array.Resize(ref content, length * 2);
        }
    }

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Rename(string from, string to);

    [LibraryImport("libc", EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Unlink(string path);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(SafeFileHandle file, Span<byte> bytes, nuint length);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, nuint length);

    [LibraryImport("libc", EntryPoint = "fchmod", SetLastError = true)]
    private static partial int ChangeMode(SafeFileHandle file, int mode);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    internal static partial SafeFileHandle Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    internal static partial int Configure(SafeFileHandle socket, nuint request, void* argument);

    [LibraryImport("libc", EntryPoint = "clock_settime", SetLastError = true)]
    internal static partial int SetClock(int clock, in TimeSpec time);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    internal static partial int Control(SafeFileHandle file, nuint request, ReadOnlySpan<byte> argument);

    [StructLayout(LayoutKind.Sequential)]
    internal readonly struct TimeSpec(long unixTimeNanoseconds)
    {
        private readonly nint _seconds = (nint)(unixTimeNanoseconds / 1_000_000_000);
        private readonly nint _nanoseconds = (nint)(unixTimeNanoseconds % 1_000_000_000);
    }

    /// <summary>struct ifreq, netdevice(7).</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct InterfaceRequest
    {
        public fixed byte Name[16];
        public fixed byte Value[24];
    }

    /// <summary>struct sockaddr_in, ip(7).</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct SocketAddress
    {
        public ushort Family;
        public ushort Port;
        public fixed byte Address[4];
        private fixed byte _padding[8];
    }

    /// <summary>struct rtentry of 64-bit systems, include/uapi/linux/route.h.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 120)]
    internal struct RouteEntry
    {
        [FieldOffset(8)] public SocketAddress Destination;
        [FieldOffset(24)] public SocketAddress Gateway;
        [FieldOffset(40)] public SocketAddress Mask;
        [FieldOffset(56)] public ushort Flags;
        [FieldOffset(88)] public nint Device;
    }
}
