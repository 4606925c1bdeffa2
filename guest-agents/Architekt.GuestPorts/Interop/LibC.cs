using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Architekt.GuestPorts.Interop;

/// <summary>Plain descriptors: a blocking read or write on a virtio-serial port is how one waits for its host, and FileStream hides that.</summary>
internal static partial class LibC
{
    internal const int OpenReadWrite = 2;
    internal const int OpenNoTerminal = 0x100;
    internal const int OpenCloseOnExec = 0x80000;
    internal const int AddressFamilyUnix = 1;
    internal const int SocketStream = 1;
    internal const int SocketCloseOnExec = 0x80000;
    internal const int MessageNoSignal = 0x4000;
    internal const int Interrupted = 4;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial SafeFileHandle Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    internal static partial SafeFileHandle Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    internal static partial int Connect(SafeFileHandle socket, ReadOnlySpan<byte> address, int length);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    internal static partial nint Read(SafeFileHandle file, Span<byte> buffer, nint count);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    internal static partial nint Write(SafeFileHandle file, ReadOnlySpan<byte> buffer, nint count);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    internal static partial nint Send(SafeFileHandle socket, ReadOnlySpan<byte> buffer, nint count, int flags);
}
