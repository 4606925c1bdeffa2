using System.Runtime.InteropServices;

namespace Architekt.Fabric.Processes.Interop;

internal static partial class NativeMethods
{
    // The generic system call table (asm-generic/unistd.h); since 424 all architectures share the numbers.
    // Called by number because glibc has the wrappers only since 2.36.
    internal const nint SysPidfdSendSignal = 424;
    internal const nint SysPidfdOpen = 434;

    internal const int OpenReadOnly = 0;
    internal const int OpenCloseOnExec = 0x80000;
    internal const int EventCloseOnExec = 0x80000;
    internal const int EventNonBlocking = 0x800;
    internal const short PollIn = 1;
    internal const int Interrupted = 4; // EINTR
    internal const int NoSuchProcess = 3; // ESRCH

    internal const int PriorityOfProcess = 0; // PRIO_PROCESS, sys/resource.h

    [StructLayout(LayoutKind.Sequential)]
    internal struct PollDescriptor
    {
        internal int Descriptor;
        internal short Events;
        internal short Returned;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial Descriptor Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(nint descriptor);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    internal static partial int Sync(Descriptor descriptor);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    internal static partial Descriptor EventDescriptor(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    internal static partial nint Write(Descriptor descriptor, in ulong value, nuint length);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    internal static unsafe partial int Poll(PollDescriptor* descriptors, nuint count, int timeoutMilliseconds);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    internal static partial nint PidfdOpen(nint number, nint pid, nint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    internal static partial nint PidfdSendSignal(nint number, Descriptor pidfd, nint signal, nint info, nint flags);

    [LibraryImport("libc", EntryPoint = "setpriority", SetLastError = true)]
    internal static partial int SetPriority(int which, int who, int nice);

    /// <summary>chown(2).</summary>
    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ChangeOwner(string path, int user, int group);
}
