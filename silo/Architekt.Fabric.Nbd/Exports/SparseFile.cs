using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Nbd;

/// <summary>Holes of files (lseek(2), fallocate(2)).</summary>
internal static class SparseFile
{
    /// <summary>More are never reported in one reply.</summary>
    private const int MaxExtents = 16 << 10;

    /// <summary>Adds data and holes of a range; a file system that does not know holes gives one run of data.</summary>
    public static void AddExtents(SafeFileHandle file, long offset, long length, IList<NbdExtent> extents)
    {
        var end = offset + length;
        for (var added = 0; offset < end && added < MaxExtents; added++)
        {
            var data = LibC.Seek(file, offset, LibC.SeekData);
            if (data < 0 && Marshal.GetLastPInvokeError() != LibC.NoSuchDeviceOrAddress)
            {
                extents.Add(new NbdExtent(offset, end - offset, NbdExtentState.Data));
                return;
            }

            // ENXIO: no data up to the end of the file.
            var isHole = data != offset;
            var next = isHole ? (data < 0 ? end : data) : LibC.Seek(file, offset, LibC.SeekHole);
            if (next <= offset || next > end)
                next = end;
            extents.Add(new NbdExtent(offset, next - offset, isHole ? NbdExtentState.Hole | NbdExtentState.Zero : NbdExtentState.Data));
            offset = next;
        }
    }

    /// <summary>True when the file system can punch holes: tried behind the end, where there is nothing to lose.</summary>
    public static bool CanPunch(SafeFileHandle file, long size) =>
        LibC.Fallocate(file, LibC.FallocatePunchHole | LibC.FallocateKeepSize, Math.Max(size, RandomAccess.GetLength(file)), 4096) == 0;

    /// <summary>Punches a hole that reads as zeroes.</summary>
    public static void Punch(SafeFileHandle file, long offset, long length)
    {
        if (!TryFallocate(file, LibC.FallocatePunchHole | LibC.FallocateKeepSize, offset, length, out var error))
            throw new IOException($"Punching a hole of {length} bytes at {offset} failed: {Marshal.GetPInvokeErrorMessage(error)}.", error);
    }

    /// <summary>Calls fallocate(2) again while signals interrupt it.</summary>
    public static bool TryFallocate(SafeFileHandle file, int mode, long offset, long length, out int error)
    {
        do
        {
            error = LibC.Fallocate(file, mode, offset, length) == 0 ? 0 : Marshal.GetLastPInvokeError();
        }
        while (error == LibC.InterruptedSystemCall);
        return error == 0;
    }
}
