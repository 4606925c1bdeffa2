using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Nbd;

/// <summary>System calls of Linux that .NET does not offer; layouts are those of 64-bit Linux.</summary>
internal static unsafe partial class LibC
{
    public const int InterruptedSystemCall = 4;
    public const int TryAgain = 11;
    public const int NoSuchDeviceOrAddress = 6;
    public const int InvalidArgument = 22;
    public const int OperationNotSupported = 95;

    public const int MsgDontWait = 0x40;
    public const int MsgNoSignal = 0x4000;

    public const int FallocateKeepSize = 1;
    public const int FallocatePunchHole = 2;
    public const int FallocateZeroRange = 16;

    public const int SeekData = 3;
    public const int SeekHole = 4;

    public const int AdviseWillNeed = 3;

    [StructLayout(LayoutKind.Sequential)]
    public struct IoVector
    {
        public void* Base;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public IoVector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    /// <summary>sendmsg(2): the one call that sends a header and a payload from two places.</summary>
    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    public static partial nint SendMessage(SafeHandle socket, MessageHeader* message, int flags);

    /// <summary>fallocate(2).</summary>
    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    public static partial int Fallocate(SafeFileHandle file, int mode, long offset, long length);

    /// <summary>lseek(2), for SEEK_DATA and SEEK_HOLE.</summary>
    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(SafeFileHandle file, long offset, int whence);

    /// <summary>posix_fadvise(2); returns the error number.</summary>
    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    public static partial int Advise(SafeFileHandle file, long offset, long length, int advice);
}
