using System.Runtime.InteropServices;
using Architekt.Fabric.Processes.Interop;

namespace Architekt.Fabric.Processes;

/// <summary>Gives files to the unprivileged user a process of ours runs as.</summary>
public static class FileOwner
{
    /// <summary>Makes <paramref name="userId"/>, and the group of the same number, the owner (chown(2)); null leaves the file as it is.</summary>
    /// <exception cref="IOException">This process may not, or the file is not there.</exception>
    public static void Give(string path, int? userId)
    {
        if (userId is { } user && NativeMethods.ChangeOwner(path, user, user) != 0)
            throw new IOException($"'{path}' cannot be given to user {user}: {Marshal.GetLastPInvokeErrorMessage()}.");
    }
}
