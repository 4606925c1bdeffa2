using Architekt.Init.Interop;

namespace Architekt.Init.Boot;

/// <summary>The file systems every guest has besides its disk.</summary>
internal static class Mounts
{
    private const nuint Closed = LibC.MountNoSetUserId | LibC.MountNoDevices | LibC.MountNoExecute;

    /// <summary>What is needed to reach the disk.</summary>
    internal static void MountKernelFolders()
    {
        Mount("proc", "/proc", "proc", Closed);
        Mount("sysfs", "/sys", "sysfs", Closed);
        Mount("devtmpfs", "/dev", "devtmpfs", LibC.MountNoSetUserId, "mode=0755");
    }

    internal static void UnmountKernelFolders()
    {
        foreach (var folder in (string[])["/dev", "/sys", "/proc"])
            _ = LibC.Unmount(folder, LibC.UnmountDetach);
    }

    /// <summary>What programs expect of a running system; in the new root.</summary>
    internal static void MountSystemFolders()
    {
        MountKernelFolders();
        Mount("devpts", "/dev/pts", "devpts", LibC.MountNoSetUserId | LibC.MountNoExecute, "gid=5,mode=0620,ptmxmode=0666");
        Mount("tmpfs", "/dev/shm", "tmpfs", LibC.MountNoSetUserId | LibC.MountNoDevices, "mode=1777");
        Mount("tmpfs", "/run", "tmpfs", LibC.MountNoSetUserId | LibC.MountNoDevices, "mode=0755");
        Mount("tmpfs", "/tmp", "tmpfs", LibC.MountNoSetUserId | LibC.MountNoDevices, "mode=1777");
        // A guest does without: its kernel may be one that was built small.
        TryMount("cgroup2", "/sys/fs/cgroup", "cgroup2", Closed);
        TryMount("mqueue", "/dev/mqueue", "mqueue", Closed);
        // devtmpfs has none of the links that programs, and images that log to /dev/stdout, take for granted.
        Link("/dev/fd", "/proc/self/fd");
        Link("/dev/stdin", "/proc/self/fd/0");
        Link("/dev/stdout", "/proc/self/fd/1");
        Link("/dev/stderr", "/proc/self/fd/2");
    }

    /// <exception cref="InitException">It cannot be mounted.</exception>
    internal static void Mount(string? source, string target, string? type, nuint flags, string? data = null)
    {
        Directory.CreateDirectory(target);
        if (LibC.Mount(source, target, type, flags, data) != 0)
            throw new InitException($"cannot mount {type ?? source} on {target}: {LibC.LastError()}");
    }

    private static void TryMount(string source, string target, string type, nuint flags)
    {
        try
        {
            Mount(source, target, type, flags);
        }
        catch (Exception error) when (error is InitException or IOException or UnauthorizedAccessException)
        {
            GuestConsole.Say($"going on without {type}: {error.Message}");
        }
    }

    private static void Link(string path, string target)
    {
        if (!File.Exists(path))
            File.CreateSymbolicLink(path, target);
    }
}
