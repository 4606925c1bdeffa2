using System.Buffers.Binary;
using System.IO.Hashing;

namespace Architekt.Fabric.Memory;

public sealed partial class GuestMemory
{
    private const int DigestBlock = 2 << 20;
    private const int DigestBytes = 16;
    private static readonly byte[] _zeroBlock = new byte[DigestBlock];

    /// <summary>
    /// A digest of the whole RAM; compare two of them only while both guests are stopped. It depends on the content alone: a hole and a page of zeros
    /// give the same.
    /// </summary>
    /// <remarks>
    /// XxHash128 of each block of 2 MiB (the last may be shorter), then XxHash128 over the length (8 bytes, little-endian) followed by the blocks' hashes
    /// in order (16 bytes each, canonical). A block that is all hole takes the hash of 2 MiB of zeros, computed once. Holes inside a block are hashed
    /// from a buffer of zeros and not from the mapping, where reading them would allocate the pages. Blocks are hashed in parallel.
    /// It finds accidents; it is no protection against forgery.
    /// </remarks>
    /// <returns>32 hexadecimal digits, lower case.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public string ComputeDigest(CancellationToken cancellationToken)
    {
        var data = DataRanges().ToArray();
        var blocks = (int)((Length + DigestBlock - 1) / DigestBlock);
        var hashes = new byte[8 + (blocks * DigestBytes)];
        BinaryPrimitives.WriteInt64LittleEndian(hashes, Length);
        var zeroHash = XxHash128.Hash(_zeroBlock);
        Parallel.For(0, blocks, new ParallelOptions { CancellationToken = cancellationToken }, block =>
        {
            var hash = hashes.AsSpan(8 + (block * DigestBytes), DigestBytes);
            if (!HashBlock((long)block * DigestBlock, data, hash))
                zeroHash.CopyTo(hash);
        });
        return Convert.ToHexStringLower(XxHash128.Hash(hashes));
    }

    /// <summary>Hashes one block; false, and nothing written, for a whole block of hole.</summary>
    private bool HashBlock(long start, PageRange[] data, Span<byte> hash)
    {
        var end = Math.Min(start + DigestBlock, Length);
        var next = FirstEndingAfter(data, start);
        if (end - start == DigestBlock && (next == data.Length || data[next].Offset >= end))
            return false;

        var hasher = new XxHash128();
        for (var position = start; position < end;)
        {
            var dataStart = next < data.Length ? Math.Clamp(data[next].Offset, position, end) : end;
            hasher.Append(_zeroBlock.AsSpan(0, (int)(dataStart - position)));
            if (dataStart == end)
                break;
            position = Math.Min(data[next].End, end);
            hasher.Append(GetSpan(dataStart, (int)(position - dataStart)));
            next++;
        }
        hasher.GetHashAndReset(hash);
        return true;
    }

    private static int FirstEndingAfter(PageRange[] ranges, long offset)
    {
        int low = 0, high = ranges.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (ranges[middle].End > offset)
                high = middle;
            else
                low = middle + 1;
        }
        return low;
    }
}
