using System.Runtime.InteropServices;
using Architekt.Fabric.Memory.Interop;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Memory;

/// <summary>
/// A copy of guest RAM that is made in a file, on any file system that has holes: what <see cref="PackageMemory"/> reads. Ranges may be written again when the guest has changed
/// them. Not for use from several threads at once.
/// </summary>
public sealed class MemoryImage : IDisposable
{
    private const int LongestRun = 4 << 20;
    private readonly SafeFileHandle _file;
    private readonly PageSet _data;

    private MemoryImage(string path, SafeFileHandle file, long length)
    {
        Path = path;
        _file = file;
        _data = new PageSet(length);
    }

    /// <summary>Where the file is.</summary>
    public string Path { get; }

    /// <summary>Bytes of the pages that are not zero. All others are holes.</summary>
    public long DataBytes => _data.Pages * GuestMemory.PageSize;

    /// <summary>Creates a file that is all hole, readable and writable for its owner only.</summary>
    /// <param name="path">Must not exist yet.</param>
    /// <param name="length">Bytes of the RAM; a positive multiple of <see cref="GuestMemory.PageSize"/>.</param>
    /// <exception cref="IOException">It exists already or could not be created.</exception>
    public static MemoryImage Create(string path, long length)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var flags = Libc.OpenReadWrite | Libc.OpenCreate | Libc.OpenExclusive | Libc.OpenCloseOnExec | Libc.OpenNoFollow;
        var file = Libc.Open(path, flags, 0x180 /* 0600 */);
        if (file.IsInvalid)
            throw new IOException($"Could not create the image {path} of guest RAM: {Libc.LastError()}.");
        try
        {
            var image = new MemoryImage(path, file, length);
            return Libc.Truncate(file, length) == 0 ? image : throw new IOException($"Could not size the image {path} of guest RAM: {Libc.LastError()}.");
        }
        catch
        {
            file.Dispose();
            _ = Libc.Unlink(path);
            throw;
        }
    }

    /// <summary>Copies ranges of the RAM; pages of zeros become holes.</summary>
    /// <param name="memory">RAM of the image's length.</param>
    /// <param name="ranges">Whole pages.</param>
    /// <param name="cancellationToken">Ends it between two runs of pages.</param>
    /// <exception cref="IOException">The file could not be written, for lack of room perhaps.</exception>
    /// <exception cref="InvalidOperationException">The RAM is still being filled.</exception>
    public void Write(GuestMemory memory, IEnumerable<PageRange> ranges, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentNullException.ThrowIfNull(ranges);
        foreach (var range in ranges)
        {
            foreach (var run in memory.SplitRuns(range, LongestRun))
            {
                cancellationToken.ThrowIfCancellationRequested();
                var pages = new PageRange(run.Offset, run.Length);
                if (run.IsZero)
                {
                    PunchHole(pages);
                    continue;
                }

                RandomAccess.Write(_file, memory.GetSpan(run.Offset, run.Length), run.Offset);
                _data.Add(pages);
            }
        }
    }

    /// <summary>Has the kernel write it out to its disk.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public void Flush() => RandomAccess.FlushToDisk(_file);

    /// <summary>Closes the file; the file itself stays.</summary>
    public void Dispose() => _file.Dispose();

    private void PunchHole(PageRange pages)
    {
        // Most pages of zeros were never written here, and then the call is not worth making.
        if (!_data.ContainsAny(pages))
            return;
        if (Libc.Allocate(_file, Libc.FallocatePunchHole | Libc.FallocateKeepSize, pages.Offset, pages.Length) != 0)
            throw new IOException($"Could not punch a hole into the image {Path} of guest RAM: {Libc.LastError()}. Its file system has to have holes.", Marshal.GetLastPInvokeError());
        _data.Remove(pages);
    }
}
