using System.Buffers.Binary;

namespace Architekt.Fabric.Packages;

/// <summary>
/// A zstd frame of nothing but zeros, always the same bytes for the same length, so that it is written without compressing and recognised without decompressing.
/// For any other decoder it is a frame like others (RFC 8878, 3.1.1): the length in its header, then blocks that repeat the byte 0.
/// </summary>
internal static class ZeroFrame
{
    /// <summary>The most zeros in one frame, in bytes.</summary>
    internal const long MaxZeros = 1L << 30;

    /// <summary>The length in bytes of the longest such frame.</summary>
    internal const int MaxLength = HeaderLength + (int)(MaxZeros / BlockZeros * BlockLength);

    private const int HeaderLength = 14;
    private const int BlockLength = 4;

    // The most that one block may hold (Block_Maximum_Size), and the window, so that decoders need no more memory than that.
    private const int BlockZeros = 128 * 1024;

    // Frame_Header_Descriptor: 8 bytes of Frame_Content_Size, neither a checksum nor a dictionary. Window_Descriptor: 2^(10 + 7) bytes.
    private static ReadOnlySpan<byte> Prefix => [0x28, 0xB5, 0x2F, 0xFD, 0b1100_0000, 7 << 3];

    private static readonly byte[] _longest = Build(MaxZeros);

    /// <summary>The frames for a number of zeros.</summary>
    internal static IEnumerable<ReadOnlyMemory<byte>> Of(long zeros)
    {
        for (; zeros >= MaxZeros; zeros -= MaxZeros)
            yield return _longest;
        if (zeros > 0)
            yield return Build(zeros);
    }

    /// <summary>Recognises a frame as one of these, byte for byte.</summary>
    /// <param name="start">Bytes that begin with a frame; all of it, if it is no longer than <see cref="MaxLength"/>.</param>
    /// <param name="zeros">How many zeros it stands for.</param>
    /// <param name="length">Its length in bytes.</param>
    internal static bool TryMatch(ReadOnlySpan<byte> start, out long zeros, out int length)
    {
        (zeros, length) = (0, 0);
        if (start.Length < HeaderLength || !start.StartsWith(Prefix))
            return false;
        var claimed = BinaryPrimitives.ReadInt64LittleEndian(start[Prefix.Length..]);
        if (claimed is <= 0 or > MaxZeros)
            return false;
        var blocks = start[HeaderLength..];
        var before = FullBlocksBeforeLast(claimed) * BlockLength;
        Span<byte> last = stackalloc byte[BlockLength];
        WriteBlock(last, claimed - FullBlocksBeforeLast(claimed) * (long)BlockZeros, isLast: true);
        if (blocks.Length < before + BlockLength
            || !blocks[..before].SequenceEqual(_longest.AsSpan(HeaderLength, before))
            || !blocks.Slice(before, BlockLength).SequenceEqual(last))
        {
            return false;
        }

        (zeros, length) = (claimed, HeaderLength + before + BlockLength);
        return true;
    }

    private static byte[] Build(long zeros)
    {
        var before = FullBlocksBeforeLast(zeros);
        var frame = new byte[HeaderLength + ((before + 1) * BlockLength)];
        Prefix.CopyTo(frame);
        BinaryPrimitives.WriteInt64LittleEndian(frame.AsSpan(Prefix.Length), zeros);
        var blocks = frame.AsSpan(HeaderLength);
        for (var block = 0; block < before; block++)
            WriteBlock(blocks.Slice(block * BlockLength, BlockLength), BlockZeros, isLast: false);
        WriteBlock(blocks[(before * BlockLength)..], zeros - (before * (long)BlockZeros), isLast: true);
        return frame;
    }

    private static int FullBlocksBeforeLast(long zeros) => (int)((zeros - 1) / BlockZeros);

    /// <summary>Block_Header (3 bytes: Last_Block, Block_Type 1 for RLE, Block_Size) and the byte that is repeated.</summary>
    private static void WriteBlock(Span<byte> block, long zeros, bool isLast) =>
        BinaryPrimitives.WriteUInt32LittleEndian(block, (isLast ? 1u : 0u) | (1u << 1) | ((uint)zeros << 3));
}
