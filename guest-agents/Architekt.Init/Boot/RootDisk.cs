using Architekt.Init.Interop;
using Architekt.InitConfiguration;

namespace Architekt.Init.Boot;

/// <summary>From the initramfs to the guest's disk.</summary>
internal static class RootDisk
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _lookAgain = TimeSpan.FromMilliseconds(10);

    /// <summary>Mounts the disk, makes it the root and mounts what belongs on it.</summary>
    /// <exception cref="InitException">There is no such disk, or it holds no ext4 file system.</exception>
    internal static void Enter(string device)
    {
        WaitFor(device);
        Mounts.Mount(device, InitramfsLayout.NewRoot, "ext4", LibC.MountNoAccessTime);
        Mounts.UnmountKernelFolders();
        // A descriptor is the one way back to the initramfs once another root lies over it.
        using var programs = LibC.Open(InitramfsLayout.Programs, LibC.OpenPath | LibC.OpenCloseOnExec, 0);
        if (programs.IsInvalid)
            throw new InitException($"the initramfs has no {InitramfsLayout.Programs}: {LibC.LastError()}");
        if (LibC.ChangeFolder(InitramfsLayout.NewRoot) != 0 || LibC.Mount(".", "/", null, LibC.MountMove, null) != 0
            || LibC.ChangeRoot(".") != 0 || LibC.ChangeFolder("/") != 0)
            throw new InitException($"cannot make {device} the root: {LibC.LastError()}");

        Mounts.MountSystemFolders();
        Mounts.Mount($"/proc/self/fd/{programs.DangerousGetHandle()}", InitramfsLayout.GuestPrograms, null, LibC.MountBind);
    }

    /// <summary>Makes everything written reach the disk and leaves it clean. Nobody may be writing any more.</summary>
    internal static void Leave()
    {
        LibC.Sync();
        if (LibC.Mount(null, "/", null, LibC.MountRemount | LibC.MountReadOnly, null) != 0)
            GuestConsole.Say($"the disk stays writable until the end: {LibC.LastError()}; all data has been written to it");
    }

    private static void WaitFor(string device)
    {
        // Probing virtio devices goes on after the module has been loaded.
        var deadline = Environment.TickCount64 + (long)_patience.TotalMilliseconds;
        while (!File.Exists(device))
        {
            if (Environment.TickCount64 > deadline)
            {
                throw new InitException(
                    $"there is no disk {device} after {_patience.TotalSeconds} seconds; give the machine a virtio disk, and the kernel its driver "
                    + $"(there are: {string.Join(", ", Directory.EnumerateFileSystemEntries("/sys/block").Select(Path.GetFileName))})");
            }

            Thread.Sleep(_lookAgain);
        }
    }
}
