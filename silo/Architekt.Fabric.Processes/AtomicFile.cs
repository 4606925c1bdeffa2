using System.Runtime.InteropServices;
using System.Text;
using Architekt.Fabric.Processes.Interop;

namespace Architekt.Fabric.Processes;

/// <summary>Writes files so that a reader, also one after a power failure, sees the old content or the new, never a mixture.</summary>
public static class AtomicFile
{
    private const UnixFileMode DefaultMode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Replaces the content of <paramref name="path"/>: temporary file beside it, fsync, rename, fsync of the folder.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="content">The whole new content.</param>
    /// <param name="mode">Access rights of the file (the umask applies); rw-r--r-- when null.</param>
    /// <param name="cancellationToken">Leaves the old content in place when cancelled before the rename.</param>
    public static async Task WriteAsync(
        string path, ReadOnlyMemory<byte> content, UnixFileMode? mode = null, CancellationToken cancellationToken = default)
    {
        var target = Path.GetFullPath(path);
        var folder = Path.GetDirectoryName(target) ?? throw new ArgumentException($"'{path}' is a folder, not a file.", nameof(path));
        var temporary = Path.Combine(folder, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}.tmp");
        try
        {
            var options = new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                BufferSize = 0,
            };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = mode ?? DefaultMode;

            await using (var stream = new FileStream(temporary, options))
            {
                await stream.WriteAsync(content, cancellationToken).ConfigureAwait(false);
                stream.Flush(flushToDisk: true);
            }

            cancellationToken.ThrowIfCancellationRequested();
            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }

        SyncFolder(folder);
    }

    /// <summary>As the other overload, for UTF-8 text without byte order mark.</summary>
    public static Task WriteAsync(string path, string content, UnixFileMode? mode = null, CancellationToken cancellationToken = default)
        => WriteAsync(path, Encoding.UTF8.GetBytes(content), mode, cancellationToken);

    // The rename is durable only when the folder is.
    private static void SyncFolder(string folder)
    {
        using var descriptor = NativeMethods.Open(folder, NativeMethods.OpenReadOnly | NativeMethods.OpenCloseOnExec, 0);
        if (descriptor.IsInvalid || NativeMethods.Sync(descriptor) != 0)
            throw new IOException($"The folder '{folder}' could not be flushed to disk: {Marshal.GetLastPInvokeErrorMessage()}.");
    }
}
