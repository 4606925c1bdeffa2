using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Architekt.Fabric.Packages.Interop;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Packages;

/// <summary>Reads a file once: digests it and, if asked, copies it, keeping its holes and making new ones where it has zeros.</summary>
internal static class SparseCopy
{
    private const int ChunkSize = 1024 * 1024;

    // Small enough to find the holes of a file that was copied without them, large enough not to shred the copy.
    private const int HoleSize = 64 * 1024;

    private static readonly byte[] _zeros = new byte[ChunkSize];

    /// <param name="source">What to read.</param>
    /// <param name="target">An empty file to copy to, or null to digest only.</param>
    /// <param name="size">The length of the source.</param>
    /// <param name="done">Told how many bytes have been gone through, as they are.</param>
    /// <param name="cancellationToken">Looked at once per MiB.</param>
    /// <returns>The SHA-256 in lower-case hexadecimal digits.</returns>
    internal static string Run(SafeFileHandle source, SafeFileHandle? target, long size, Action<long> done, CancellationToken cancellationToken)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkSize);
        try
        {
            if (target is not null)
                RandomAccess.SetLength(target, size);
            var position = 0L;
            while (position < size)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var (dataStart, dataEnd) = NextData(source, position, size);
                for (; position < dataStart; cancellationToken.ThrowIfCancellationRequested())
                {
                    var length = (int)Math.Min(ChunkSize, dataStart - position);
                    digest.AppendData(_zeros, 0, length);
                    done(length);
                    position += length;
                }

                for (; position < dataEnd; cancellationToken.ThrowIfCancellationRequested())
                {
                    var length = RandomAccess.Read(source, buffer.AsSpan(0, (int)Math.Min(ChunkSize, dataEnd - position)), position);
                    if (length == 0)
                        throw new EndOfStreamException("The file became shorter while it was read.");
                    digest.AppendData(buffer, 0, length);
                    if (target is not null)
                        WriteData(target, buffer.AsSpan(0, length), position);
                    done(length);
                    position += length;
                }
            }

            return Convert.ToHexStringLower(digest.GetHashAndReset());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static (long Start, long End) NextData(SafeFileHandle source, long position, long size)
    {
        var start = LibC.Seek(source, position, LibC.SeekData);
        if (start < 0)
        {
            // ENXIO: only a hole is left. Anything else: this file system does not tell, so all of it is data.
            return Marshal.GetLastPInvokeError() == LibC.NoSuchOffset ? (size, size) : (position, size);
        }

        var end = LibC.Seek(source, start, LibC.SeekHole);
        return (Math.Min(start, size), end < 0 ? size : Math.Min(end, size));
    }

    private static void WriteData(SafeFileHandle target, ReadOnlySpan<byte> data, long position)
    {
        while (data.Length > 0)
        {
            var length = Math.Min(HoleSize, data.Length);
            if (data[..length].ContainsAnyExcept((byte)0))
                RandomAccess.Write(target, data[..length], position);
            data = data[length..];
            position += length;
        }
    }
}
