namespace Architekt.Fabric.Packages;

/// <summary>Walks through two contents side by side; where both say that they have zeros, it takes one step.</summary>
/// <param name="done">Told how many bytes have been gone through.</param>
internal sealed class ContentComparer(Action<long> done)
{
    private const int BlockSize = BlockDifference.BlockSize;

    private static readonly byte[] _zeros = new byte[ContentSegment.MaxData];

    private long _position;
    private long _lastDiffering = -1;
    private long _differing;
    private long _differingBytes;

    internal static long BlocksIn(long size) => (size + BlockSize - 1) / BlockSize;

    internal BlockDifference Compare(IEnumerable<ContentSegment> first, IEnumerable<ContentSegment> second)
    {
        using var one = first.GetEnumerator();
        using var other = second.GetEnumerator();
        var (a, b) = (default(ContentSegment), default(ContentSegment));
        while (true)
        {
            var more = (Next(one, ref a), Next(other, ref b));
            if (more is (false, false))
                break;
            // The end of the shorter one goes on as zeros.
            var length = more switch
            {
                (true, false) => a.Length,
                (false, true) => b.Length,
                _ => Math.Min(a.Length, b.Length),
            };
            if (a.Data.Length > 0 || b.Data.Length > 0)
            {
                length = Math.Min(length, _zeros.Length);
                Count(Bytes(a, (int)length), Bytes(b, (int)length));
            }

            a = Skip(a, length);
            b = Skip(b, length);
            _position += length;
            done(length);
        }

        return new BlockDifference(BlocksIn(_position), _differing, _differingBytes);
    }

    private static bool Next(IEnumerator<ContentSegment> content, ref ContentSegment current)
    {
        while (current.Length == 0)
        {
            if (!content.MoveNext())
                return false;
            current = content.Current;
        }

        return true;
    }

    private static ContentSegment Skip(ContentSegment segment, long length) =>
        segment.Data.Length > 0 ? new ContentSegment(segment.Data[(int)length..], 0)
        : segment.Zeros > 0 ? new ContentSegment(default, segment.Zeros - length)
        : segment;

    private static ReadOnlySpan<byte> Bytes(ContentSegment segment, int length) =>
        segment.Data.Length > 0 ? segment.Data.Span[..length] : _zeros.AsSpan(0, length);

    private void Count(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        // Up to the bounds of blocks, not of segments: two may share a block.
        for (var (start, end) = (0, 0); start < a.Length; start = end)
        {
            var block = (_position + start) / BlockSize;
            end = (int)Math.Min(a.Length, ((block + 1) * BlockSize) - _position);
            var bytes = CountDiffering(a[start..end], b[start..end]);
            if (bytes == 0)
                continue;
            _differingBytes += bytes;
            _differing += block == _lastDiffering ? 0 : 1;
            _lastDiffering = block;
        }
    }

    private static int CountDiffering(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        if (a.SequenceEqual(b))
            return 0;
        var count = 0;
        for (var index = 0; index < a.Length; index++)
            count += a[index] != b[index] ? 1 : 0;
        return count;
    }
}
