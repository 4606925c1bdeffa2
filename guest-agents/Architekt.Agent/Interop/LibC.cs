using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Agent.Interop;

/// <summary>clock_settime(2) and the ioctls of random(4).</summary>
internal static partial class LibC
{
    internal const int ClockRealTime = 0;

    // _IOW('R', 0x03, int[2]) and _IO('R', 0x07), include/uapi/linux/random.h.
    internal const nuint AddEntropy = 0x40085203;
    internal const nuint ReseedGenerator = 0x5207;

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
}
