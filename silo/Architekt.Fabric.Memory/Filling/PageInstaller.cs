using System.Numerics;
using System.Runtime.InteropServices;
using Architekt.Fabric.Memory.Interop;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Memory;

/// <summary>
/// Brings pages into the guest's RAM (UFFDIO_COPY, ioctl_userfaultfd(2)) and so wakes whoever waits for them. They arrive write-protected, so they do not count as
/// written. Pages of zeros are copied, too: what UFFDIO_ZEROPAGE brings is not protected. One object for each thread.
/// </summary>
internal sealed unsafe class PageInstaller(SafeFileHandle userfault, ulong address, PackageMemory package, FillMap map)
{
    private static readonly byte[] _zeros = GC.AllocateArray<byte>(FillMap.BlockBytes, pinned: true);
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(FillMap.BlockBytes, pinned: true);
    private long _pages;

    /// <summary>Number of pages brought so far.</summary>
    public long Pages => Volatile.Read(ref _pages);

    /// <summary>Brings pages this thread has claimed. Those that could not be brought are no longer claimed.</summary>
    /// <returns>Null, or why a page could not be brought; the others were.</returns>
    public MemoryFillException? Install(int block, ulong claimed)
    {
        MemoryFillException? failure = null;
        while (claimed != 0)
        {
            // A run is all data or all zeros.
            var alike = claimed & ((map.Data(block) >> BitOperations.TrailingZeroCount(claimed) & 1) != 0 ? map.Data(block) : ~map.Data(block));
            var (first, count) = FillMap.FirstRun(alike);
            var reason = InstallRun(block, first, count, out var done);
            failure ??= reason;
            if (done < count)
            {
                // The page that failed is stepped over; what is behind it may still be readable.
                map.Unclaim(block, FillMap.Run(first + done, 1));
                done++;
            }
            claimed &= ~FillMap.Run(first, done);
        }
        return failure;
    }

    /// <summary>
    /// Answers a fault on a page that has been brought before: it was given back to the host meanwhile (FALLOC_FL_PUNCH_HOLE) and reads as zeros from then on. It is not
    /// protected, because it differs from the package now. If it is there after all, this just wakes the guest.
    /// </summary>
    public MemoryFillException? Restore(ulong page)
    {
        var error = Copy(page, GuestMemory.PageSize, _zeros, protect: false, out _);
        if (error == Libc.ErrorExists || (error == Libc.ErrorNoEntry && map.IsClosing))
        {
            var range = new UserfaultRange { Start = page, Length = GuestMemory.PageSize };
            error = Libc.Control(userfault, Userfault.Wake, &range) == 0 ? 0 : Marshal.GetLastPInvokeError();
        }
        return error == 0 ? null : Describe(error, (long)(page - address));
    }

    private MemoryFillException? InstallRun(int block, int first, int count, out int done)
    {
        var offset = ((long)block * FillMap.BlockBytes) + ((long)first * GuestMemory.PageSize);
        MemoryFillException? failure = null;
        var source = _zeros;
        var readable = count;
        if ((map.Data(block) >> first & 1) != 0)
        {
            source = _buffer;
            readable = package.Read(offset, _buffer.AsSpan(0, count * GuestMemory.PageSize), out failure) / GuestMemory.PageSize;
        }
        done = 0;
        if (readable == 0)
            return failure;
        var error = Copy(address + (ulong)offset, readable * GuestMemory.PageSize, source, protect: true, out var copied);
        done = (int)(copied / GuestMemory.PageSize);
        if (done > 0)
            map.SetPresent(block, FillMap.Run(first, done));
        _pages += done;
        if (error is Libc.ErrorExists or Libc.ErrorNoEntry && source == _zeros && map.IsClosing)
        {
            // The hole is the kernel's by now, or (ENOENT) not registered just now; who waits in it is woken when it is taken out.
            done = count;
            return null;
        }
        return error == 0 ? failure : Describe(error, offset + copied);
    }

    /// <summary>Copies until all is there; returns 0 or the number of the error that stopped it.</summary>
    private int Copy(ulong destination, int length, byte[] source, bool protect, out long copied)
    {
        for (copied = 0; copied < length;)
        {
            var copy = new UserfaultCopy
            {
                Destination = destination + (ulong)copied,
                Source = (ulong)Marshal.UnsafeAddrOfPinnedArrayElement(source, (int)copied),
                Length = (ulong)(length - copied),
                Mode = protect ? Userfault.CopyProtected : 0,
            };
            var result = Libc.Control(userfault, Userfault.Copy, &copy);
            var error = result == 0 ? 0 : Marshal.GetLastPInvokeError();
            if (copy.Copied > 0)
                copied += copy.Copied;
            // EAGAIN: it got only so far, or the process is changing its mappings just now.
            if (error is not (0 or Libc.ErrorAgain or Libc.ErrorInterrupted))
                return error;
        }
        return 0;
    }

    private static MemoryFillException Describe(int error, long offset) => error switch
    {
        Libc.ErrorExists => new(
            MemoryFillError.ForeignPage,
            $"The page at byte {offset} of the guest's RAM was there before it was filled: its content is not the package's. Nobody may touch the RAM file before the fill is complete; start the guest anew."),
        Libc.ErrorNoSuchProcess => new(MemoryFillError.ProcessGone, "The guest's RAM can no longer be filled: its process is gone."),
        Libc.ErrorNoMemory => new(
            MemoryFillError.NoSpace, $"There is no memory for the page at byte {offset} of the guest's RAM: its tmpfs is full, or the host is. Make room and start the guest anew."),
        _ => new(MemoryFillError.Refused, $"The kernel refused the page at byte {offset} of the guest's RAM: {Marshal.GetPInvokeErrorMessage(error)}. Was it armed for filling (ARCHITEKT_RAM_LAZY)?"),
    };
}
