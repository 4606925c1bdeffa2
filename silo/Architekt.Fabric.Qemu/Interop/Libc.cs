using System.Runtime.InteropServices;

namespace Architekt.Fabric.Qemu;

/// <summary>The C library calls .NET has no equivalent for. Linux, glibc 2.34 or newer.</summary>
internal static partial class Libc
{
    public const int Esrch = 3;
    public const int Eintr = 4;
    public const int Sigkill = 9;

    // asm/unistd.h; the same numbers on x86-64 and arm64.
    private const long SysPidfdSendSignal = 424;
    private const long SysPidfdOpen = 434;

    /// <summary>A descriptor that stands for the process itself, or an invalid handle (errno then says why): pidfd_open(2).</summary>
    public static SafePidfdHandle OpenPidfd(int pid)
    {
        var result = Syscall(SysPidfdOpen, pid, 0, 0, 0);
        return new SafePidfdHandle((int)result);
    }

    /// <summary>pidfd_send_signal(2): reaches exactly the process the descriptor was opened for. Returns 0 or an errno.</summary>
    public static int SendSignal(SafePidfdHandle pidfd, int signal)
    {
        var added = false;
        try
        {
            pidfd.DangerousAddRef(ref added);
            var result = Syscall(SysPidfdSendSignal, pidfd.DangerousGetHandle(), signal, 0, 0);
            return result == 0 ? 0 : Marshal.GetLastPInvokeError();
        }
        finally
        {
            if (added) pidfd.DangerousRelease();
        }
    }

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    public static partial int WaitPid(int pid, out int status, int options);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "posix_spawn")]
    public static unsafe partial int PosixSpawn(out int pid, byte* path, void* fileActions, void* attributes, byte** arguments, byte** environment);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    public static unsafe partial int FileActionsInit(void* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    public static unsafe partial int FileActionsDestroy(void* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen")]
    public static unsafe partial int FileActionsAddOpen(void* actions, int descriptor, byte* path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    public static unsafe partial int FileActionsAddDup2(void* actions, int descriptor, int newDescriptor);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addclose")]
    public static unsafe partial int FileActionsAddClose(void* actions, int descriptor);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addclosefrom_np")]
    public static unsafe partial int FileActionsAddCloseFrom(void* actions, int from);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    public static unsafe partial int AttributesInit(void* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    public static unsafe partial int AttributesDestroy(void* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    public static unsafe partial int AttributesSetFlags(void* attributes, short flags);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    public static unsafe partial int AttributesSetSignalDefault(void* attributes, void* signals);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    public static unsafe partial int AttributesSetSignalMask(void* attributes, void* signals);

    [LibraryImport("libc", EntryPoint = "sigfillset")]
    public static unsafe partial int SignalSetFill(void* signals);

    [LibraryImport("libc", EntryPoint = "sigemptyset")]
    public static unsafe partial int SignalSetEmpty(void* signals);

    // Variadic in C; with integer arguments alone the calling convention is the same.
    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial long Syscall(long number, long first, long second, long third, long fourth);
}
