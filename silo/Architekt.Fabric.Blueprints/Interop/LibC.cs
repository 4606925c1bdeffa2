using System.Runtime.InteropServices;

namespace Architekt.Fabric.Blueprints.Interop;

/// <summary>Hard links, which .NET does not make.</summary>
internal static partial class LibC
{
    /// <summary>link(2): a second name for a file or a symbolic link, which is not followed.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    internal static void HardLink(string existing, string path)
    {
        if (Link(existing, path) != 0)
            throw new IOException($"'{path}' cannot be linked to '{existing}': {Marshal.GetLastPInvokeErrorMessage()}.");
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string path);
}
