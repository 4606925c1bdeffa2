using System.Runtime.InteropServices;
using Architekt.Fabric.Packages.Interop;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Packages;

/// <summary>Reads a file once and skips its holes.</summary>
internal static class SparseReader
{
    /// <param name="file">What to read.</param>
    /// <param name="size">Its length.</param>
    /// <param name="cancellationToken">Looked at for each segment.</param>
    internal static IEnumerable<ContentSegment> Read(SafeFileHandle file, long size, CancellationToken cancellationToken)
    {
        var (buffer, other) = (new byte[ContentSegment.MaxData], new byte[ContentSegment.MaxData]);
        var position = 0L;
        while (position < size)
        {
            var (dataStart, dataEnd) = NextData(file, position, size);
            if (dataStart > position)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return new ContentSegment(default, dataStart - position);
                position = dataStart;
            }

            while (position < dataEnd)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var length = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, dataEnd - position)), position);
                if (length == 0)
                    throw new EndOfStreamException("The file became shorter while it was read.");
                yield return new ContentSegment(buffer.AsMemory(0, length), 0);
                (buffer, other) = (other, buffer);
                position += length;
            }
        }
    }

    /// <summary>How many bytes of a file are not in holes.</summary>
    internal static long DataLength(SafeFileHandle file, long size)
    {
        var length = 0L;
        for (var position = 0L; position < size;)
        {
            var (start, end) = NextData(file, position, size);
            length += end - start;
            position = end;
        }

        return length;
    }

    private static (long Start, long End) NextData(SafeFileHandle file, long position, long size)
    {
        var start = LibC.Seek(file, position, LibC.SeekData);
        if (start < 0)
        {
            // ENXIO: only a hole is left. Anything else: this file system does not tell, so all of it is data.
            return Marshal.GetLastPInvokeError() == LibC.NoSuchOffset ? (size, size) : (position, size);
        }

        var end = LibC.Seek(file, start, LibC.SeekHole);
        return (Math.Min(start, size), end < 0 ? size : Math.Min(end, size));
    }
}
