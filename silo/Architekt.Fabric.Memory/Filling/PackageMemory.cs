using System.Runtime.InteropServices;
using Architekt.Fabric.Memory.Interop;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Memory;

/// <summary>
/// The RAM in a package: a sparse file on any file system that holds what a suspended guest had in its RAM. Never written.
/// Members may be used from several threads.
/// </summary>
/// <remarks>It is read and not mapped: a mapping would answer a bad sector or a file cut short with SIGBUS, a read says where it failed.</remarks>
public sealed class PackageMemory : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly PageSet _data;

    private PackageMemory(string path, SafeFileHandle file, PageSet data)
    {
        Path = path;
        _file = file;
        _data = data;
    }

    /// <summary>Where the file is.</summary>
    public string Path { get; }

    /// <summary>Size of the RAM in bytes.</summary>
    public long Length => _data.Length;

    /// <summary>Number of pages that are not hole.</summary>
    public long DataPages => _data.Pages;

    /// <summary>The pages that are not hole; all others are zero. A page that is partly hole counts as data.</summary>
    internal PageSet Data => _data;

    /// <summary>Opens a file and finds its holes (SEEK_DATA and SEEK_HOLE, lseek(2)).</summary>
    /// <exception cref="MemoryFillException">It cannot be opened, or its size is not a positive multiple of a page.</exception>
    public static PackageMemory Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        SafeFileHandle? file = null;
        try
        {
            file = File.OpenHandle(path);
            var length = RandomAccess.GetLength(file);
            if (length <= 0 || length % GuestMemory.PageSize != 0)
                throw new MemoryFillException(MemoryFillError.Mismatch, $"{path} is not the RAM of a guest: its {length} bytes are not a positive multiple of {GuestMemory.PageSize}.");
            var data = new PageSet(length);
            FindData(file, path, data);
            return new PackageMemory(path, file, data);
        }
        catch (Exception error) when (error is (IOException or UnauthorizedAccessException) and not MemoryFillException)
        {
            file?.Dispose();
            throw new MemoryFillException(MemoryFillError.PackageUnreadable, $"The package's RAM {path} could not be opened: {error.Message}", error);
        }
        catch
        {
            file?.Dispose();
            throw;
        }
    }

    /// <summary>Reads as much as can be read.</summary>
    /// <param name="offset">First byte.</param>
    /// <param name="buffer">Where to; its length is what is wanted.</param>
    /// <param name="failure">Null if all of it was read.</param>
    /// <returns>Bytes read; at the first byte behind them, reading failed.</returns>
    internal int Read(long offset, Span<byte> buffer, out MemoryFillException? failure)
    {
        var done = 0;
        failure = null;
        try
        {
            while (done < buffer.Length)
            {
                var got = RandomAccess.Read(_file, buffer[done..], offset + done);
                if (got == 0)
                {
                    failure = Unreadable(offset + done, "the file ends there; it has been cut short since it was opened", null);
                    break;
                }
                done += got;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            failure = Unreadable(offset + done, error.Message, error);
        }
        return done;
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();

    private MemoryFillException Unreadable(long offset, string reason, Exception? cause) => new(
        MemoryFillError.PackageUnreadable, $"The package's RAM {Path} could not be read at byte {offset}: {reason}. Restore the package; the guest cannot go on without that page.", cause);

    private static void FindData(SafeFileHandle file, string path, PageSet data)
    {
        for (var start = Seek(file, path, 0, Libc.SeekData, data.Length); start < data.Length;)
        {
            var end = Seek(file, path, start, Libc.SeekHole, data.Length);
            // File systems count in blocks of their own.
            start -= start % GuestMemory.PageSize;
            end = Math.Min(data.Length, end + GuestMemory.PageSize - 1);
            end -= end % GuestMemory.PageSize;
            data.Add(new PageRange(start, end - start));
            start = Seek(file, path, end, Libc.SeekData, data.Length);
        }
    }

    private static long Seek(SafeFileHandle file, string path, long offset, int whence, long length)
    {
        if (offset >= length)
            return length;
        var found = Libc.Seek(file, offset, whence);
        if (found >= 0)
            return found;
        // ENXIO: nothing but hole from here to the end.
        return Marshal.GetLastPInvokeError() == Libc.ErrorNoSuchDevice
            ? length
            : throw new IOException($"Could not look for holes in {path}: {Libc.LastError()}.");
    }
}
