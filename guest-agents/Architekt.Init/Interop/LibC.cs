using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Init.Interop;

/// <summary>System calls of which .NET has nothing: mounting, modules, starting and ending processes, power.</summary>
internal static partial class LibC
{
    // mount(2), include/uapi/linux/mount.h.
    internal const nuint MountReadOnly = 1;
    internal const nuint MountNoSetUserId = 2;
    internal const nuint MountNoDevices = 4;
    internal const nuint MountNoExecute = 8;
    internal const nuint MountRemount = 32;
    internal const nuint MountNoAccessTime = 1024;
    internal const nuint MountBind = 4096;
    internal const nuint MountMove = 8192;
    internal const int UnmountDetach = 2;

    // open(2) on x86-64.
    internal const int OpenReadOnly = 0;
    internal const int OpenReadWrite = 2;
    internal const int OpenNoTerminal = 0x100;
    internal const int OpenCloseOnExec = 0x80000;
    internal const int OpenPath = 0x200000;

    // errno(3).
    internal const int NoEntry = 2;
    internal const int Interrupted = 4;
    internal const int NoChildren = 10;
    internal const int TryAgain = 11;
    internal const int PermissionDenied = 13;
    internal const int Exists = 17;
    internal const int NotAFolder = 20;
    internal const int NoBuffer = 105;

    // reboot(2), include/uapi/linux/reboot.h.
    internal const int PowerOff = 0x4321FEDC;
    internal const int CtrlAltDelIsSignal = 0;

    // signal(7).
    internal const int SignalKill = 9;
    internal const int SignalPipe = 13;
    internal const int SignalTerminate = 15;
    internal const nint SignalDefault = 0;

    // setrlimit(2).
    internal const int LimitOpenFiles = 7;

    // arch/x86/entry/syscalls/syscall_64.tbl; glibc has no function for it.
    internal const nint LoadModuleFromFile = 313;

    internal static string LastError() => Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Mount(string? source, string target, string? type, nuint flags, string? data);

    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Unmount(string target, int flags);

    [LibraryImport("libc", EntryPoint = "chroot", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int ChangeRoot(string path);

    [LibraryImport("libc", EntryPoint = "chdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int ChangeFolder(string path);

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int ChangeOwner(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial SafeFileHandle Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "dup2", SetLastError = true)]
    internal static partial int Duplicate(SafeFileHandle file, int descriptor);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    internal static partial nint Read(SafeFileHandle file, Span<byte> buffer, nint count);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    internal static partial nint Write(int descriptor, ReadOnlySpan<byte> buffer, nint count);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    internal static partial nint LoadModule(nint number, SafeFileHandle module, ReadOnlySpan<byte> parameters, nint flags);

    [LibraryImport("libc", EntryPoint = "posix_spawn", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Spawn(out int process, string path, nint fileActions, nint attributes, string?[] arguments, string?[] environment);

    [LibraryImport("libc", EntryPoint = "execve", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Execute(string path, string?[] arguments, string?[] environment);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    internal static partial int WaitForChild(int process, out int status, int options);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    internal static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "setsid", SetLastError = true)]
    internal static partial int NewSession();

    [LibraryImport("libc", EntryPoint = "setgroups", SetLastError = true)]
    internal static partial int SetGroups(nint count, ReadOnlySpan<uint> groups);

    [LibraryImport("libc", EntryPoint = "setgid", SetLastError = true)]
    internal static partial int SetGroup(uint group);

    [LibraryImport("libc", EntryPoint = "setuid", SetLastError = true)]
    internal static partial int SetUser(uint user);

    [LibraryImport("libc", EntryPoint = "umask")]
    internal static partial int SetFileMask(int mask);

    [LibraryImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    internal static partial int SetLimit(int resource, in ResourceLimit limit);

    [LibraryImport("libc", EntryPoint = "signal", SetLastError = true)]
    internal static partial nint SetSignalAction(int signal, nint action);

    [LibraryImport("libc", EntryPoint = "sethostname", SetLastError = true)]
    internal static partial int SetHostName(ReadOnlySpan<byte> name, nint length);

    [LibraryImport("libc", EntryPoint = "sync")]
    internal static partial void Sync();

    [LibraryImport("libc", EntryPoint = "reboot", SetLastError = true)]
    internal static partial int Reboot(int command);

    [StructLayout(LayoutKind.Sequential)]
    internal readonly struct ResourceLimit(ulong soft, ulong hard)
    {
        private readonly ulong _soft = soft;
        private readonly ulong _hard = hard;
    }
}
