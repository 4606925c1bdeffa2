using System.Numerics;

namespace Architekt.Fabric.Memory;

/// <summary>
/// Which pages of a guest's RAM are there, in blocks of 64 pages (256 KiB), each one word. A page is claimed by one thread before it is brought, so no two ever
/// bring the same, and a page that turns out to be there already is somebody else's. For use from several threads.
/// </summary>
internal sealed class FillMap(PageSet data)
{
    public const int BlockPages = 64;
    public const int BlockBytes = BlockPages * GuestMemory.PageSize;

    private readonly ulong[] _data = data.Words.ToArray();
    private readonly ulong[] _claimed = new ulong[data.Words.Length];
    private readonly ulong[] _present = new ulong[data.Words.Length];
    private volatile bool _isClosing;

    /// <summary>Whether the package's holes are being given to the kernel. Pages may turn up in them by themselves from then on.</summary>
    public bool IsClosing
    {
        get => _isClosing;
        set => _isClosing = value;
    }

    public int Blocks => _data.Length;

    /// <summary>Pages that the package has; the others are zero.</summary>
    public ulong Data(int block) => _data[block];

    /// <summary>Pages that there are: the last block may have fewer than 64.</summary>
    public ulong Existing(int block) =>
        block < Blocks - 1 || data.Length % BlockBytes == 0 ? ulong.MaxValue : (1UL << (int)(data.Length % BlockBytes / GuestMemory.PageSize)) - 1;

    public ulong Unclaimed(int block) => Existing(block) & ~Volatile.Read(ref _claimed[block]);

    public bool IsPresent(int block, int page) => ((Volatile.Read(ref _present[block]) >> page) & 1) != 0;

    public bool HasAllData(int block) => (_data[block] & ~Volatile.Read(ref _present[block])) == 0;

    /// <summary>Claims pages; returns those that nobody had claimed before.</summary>
    public ulong Claim(int block, ulong pages) => pages & ~Interlocked.Or(ref _claimed[block], pages);

    /// <summary>Gives claimed pages back: they could not be brought.</summary>
    public void Unclaim(int block, ulong pages) => Interlocked.And(ref _claimed[block], ~pages);

    public void SetPresent(int block, ulong pages) => Interlocked.Or(ref _present[block], pages);

    /// <summary>The bits of the pages of a block that lie in a range.</summary>
    public static ulong Within(int block, PageRange range)
    {
        var start = (long)block * BlockBytes;
        var first = (int)(Math.Max(0, range.Offset - start) / GuestMemory.PageSize);
        var end = (int)(Math.Min(BlockBytes, range.End - start) / GuestMemory.PageSize);
        return end > first ? Run(first, end - first) : 0;
    }

    /// <summary>The bits of a run of pages within a block.</summary>
    public static ulong Run(int first, int count) => (ulong.MaxValue >> (BlockPages - count)) << first;

    /// <summary>The first run in a word that is not 0.</summary>
    public static (int First, int Count) FirstRun(ulong pages)
    {
        var first = BitOperations.TrailingZeroCount(pages);
        return (first, BitOperations.TrailingZeroCount(~(pages >> first)));
    }
}
