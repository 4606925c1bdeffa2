using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Packages.Interop;

/// <summary>Holes of sparse files (lseek(2)), and making a rename durable (fsync(2) of a folder): .NET has neither.</summary>
internal static partial class LibC
{
    internal const int SeekData = 3;
    internal const int SeekHole = 4;
    internal const int NoSuchOffset = 6;

    private const int NoSpace = 28;
    private const int QuotaExceeded = 122;
    private const int OpenDirectory = 0x10000;
    private const int OpenCloseOnExec = 0x80000;
    private const int OpenNonBlocking = 0x800;

    /// <summary>Makes what was created, renamed or removed in a folder survive a power cut.</summary>
    internal static void SyncFolder(string path)
    {
        using var folder = Open(path, OpenDirectory | OpenCloseOnExec, 0);
        if (folder.IsInvalid || Sync(folder) != 0)
            throw new IOException($"Cannot write the folder {path} to disk: {Marshal.GetLastPInvokeErrorMessage()}.", Marshal.GetLastPInvokeError());
    }

    /// <summary>Whether something failed because a disk, or the user's share of it, is full.</summary>
    internal static bool IsNoSpace(IOException error) => error.HResult is NoSpace or QuotaExceeded;

    internal static SafeFileHandle OpenForReading(string path) => Open(path, OpenNonBlocking | OpenCloseOnExec, 0);

    [LibraryImport("libc", EntryPoint = "lseek64", SetLastError = true)]
    internal static partial long Seek(SafeFileHandle file, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(SafeFileHandle file);
}
