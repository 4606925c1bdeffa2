using System.Runtime.InteropServices;
using Architekt.Fabric.Packages.Interop;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Packages;

/// <summary>Opens files that may turn out to be something else.</summary>
internal static class RegularFile
{
    /// <param name="path">The file.</param>
    /// <param name="what">What it is to the user, such as <c>The entry 'disk' at /x/disk</c>.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <exception cref="PackageException"><see cref="PackageErrorCode.Invalid"/>: a pipe, a device or a socket.</exception>
    internal static SafeFileHandle Open(string path, string what, out long length)
    {
        // Not blocking: opening a pipe would wait for a writer, for ever.
        var handle = LibC.OpenForReading(path);
        if (handle.IsInvalid)
            throw new IOException($"Cannot open {path}: {Marshal.GetLastPInvokeErrorMessage()}.", Marshal.GetLastPInvokeError());
        try
        {
            length = RandomAccess.GetLength(handle);
            return handle;
        }
        catch (NotSupportedException error)
        {
            handle.Dispose();
            throw new PackageException(PackageErrorCode.Invalid, $"{what} is not a regular file.", error);
        }
    }
}
