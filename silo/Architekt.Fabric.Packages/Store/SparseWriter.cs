using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Packages;

/// <summary>Writes all but the zeros of an entry, so that holes stay holes and zeros become some.</summary>
internal static class SparseWriter
{
    // A guest's RAM is a page here and a page there, and file systems allocate by it as well. Neighbours are written together.
    private const int PageSize = 4096;

    /// <param name="file">A file that has its length already and is a hole where this writes.</param>
    /// <param name="data">What to write.</param>
    /// <param name="position">Where.</param>
    internal static void Write(SafeFileHandle file, ReadOnlySpan<byte> data, long position)
    {
        while (data.Length > 0)
        {
            var zeros = LengthOf(data, zero: true);
            var rest = data[zeros..];
            var bytes = LengthOf(rest, zero: false);
            if (bytes > 0)
                RandomAccess.Write(file, rest[..bytes], position + zeros);
            data = rest[bytes..];
            position += zeros + bytes;
        }
    }

    private static int LengthOf(ReadOnlySpan<byte> data, bool zero)
    {
        var length = 0;
        while (length < data.Length)
        {
            var page = data.Slice(length, Math.Min(PageSize, data.Length - length));
            if (page.ContainsAnyExcept((byte)0) == zero)
                break;
            length += page.Length;
        }

        return length;
    }
}
