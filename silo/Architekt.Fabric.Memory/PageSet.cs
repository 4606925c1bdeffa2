using System.Collections;
using System.Numerics;

namespace Architekt.Fabric.Memory;

/// <summary>
/// A set of guest pages, one bit each: 32 KiB for each GiB of RAM. Says, for example, which pages differ from a base. Enumerates as ascending runs that do
/// not touch each other. Not for use from several threads at once.
/// </summary>
public sealed partial class PageSet : IEnumerable<PageRange>
{
    private const int PagesPerWord = 64;
    private readonly ulong[] _words;

    /// <summary>Makes an empty set.</summary>
    /// <param name="length">Bytes of the RAM it is about; a positive multiple of <see cref="GuestMemory.PageSize"/>.</param>
    public PageSet(long length)
        : this(length, new ulong[WordsOf(length)])
    {
    }

    private PageSet(long length, ulong[] words)
    {
        Length = length;
        _words = words;
    }

    /// <summary>Bytes of the RAM the set is about.</summary>
    public long Length { get; }

    /// <summary>Number of pages in the set. Counts them.</summary>
    public long Pages
    {
        get
        {
            long pages = 0;
            foreach (var word in _words)
                pages += BitOperations.PopCount(word);
            return pages;
        }
    }

    /// <summary>True if no page is in the set.</summary>
    public bool IsEmpty => !_words.AsSpan().ContainsAnyExcept(0UL);

    /// <summary>One bit for each page, the first in bit 0 of the first word; bits behind the last page are 0.</summary>
    internal ReadOnlySpan<ulong> Words => _words;

    /// <summary>Whether a page is in the set.</summary>
    /// <param name="offset">Any byte of the page, counted from the start of the RAM.</param>
    public bool Contains(long offset)
    {
        if ((ulong)offset >= (ulong)Length)
            throw new ArgumentOutOfRangeException(nameof(offset), offset, $"There is no such byte in {Length} bytes of guest RAM.");
        var page = offset / GuestMemory.PageSize;
        return ((_words[page / PagesPerWord] >> (int)(page % PagesPerWord)) & 1) != 0;
    }

    /// <summary>Whether any page of a range is in the set.</summary>
    /// <param name="range">Whole pages within the RAM; may be empty.</param>
    public bool ContainsAny(PageRange range)
    {
        var (page, end) = PagesOf(range);
        return page < end && Find(page, isIn: true) < end;
    }

    /// <summary>Adds pages.</summary>
    /// <param name="range">Whole pages within the RAM; may be empty.</param>
    public void Add(PageRange range)
    {
        for (var (page, end) = PagesOf(range); page < end; page = NextWord(page))
            _words[page / PagesPerWord] |= MaskOf(page, end);
    }

    /// <summary>Removes pages.</summary>
    /// <param name="range">Whole pages within the RAM; may be empty.</param>
    public void Remove(PageRange range)
    {
        for (var (page, end) = PagesOf(range); page < end; page = NextWord(page))
            _words[page / PagesPerWord] &= ~MaskOf(page, end);
    }

    /// <summary>Adds every page there is.</summary>
    public void AddAll() => Add(new PageRange(0, Length));

    /// <summary>Removes every page.</summary>
    public void Clear() => Array.Clear(_words);

    /// <summary>Adds the pages of another set.</summary>
    /// <exception cref="ArgumentException">It is about RAM of another size.</exception>
    public void UnionWith(PageSet other)
    {
        RequireSameLength(other);
        for (var i = 0; i < _words.Length; i++)
            _words[i] |= other._words[i];
    }

    /// <summary>Removes the pages of another set.</summary>
    /// <exception cref="ArgumentException">It is about RAM of another size.</exception>
    public void ExceptWith(PageSet other)
    {
        RequireSameLength(other);
        for (var i = 0; i < _words.Length; i++)
            _words[i] &= ~other._words[i];
    }

    /// <summary>A copy that no longer changes with this set.</summary>
    public PageSet Clone() => new(Length, (ulong[])_words.Clone());

    /// <summary>The runs of pages, without allocating.</summary>
    public Enumerator GetEnumerator() => new(this);

    IEnumerator<PageRange> IEnumerable<PageRange>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static int WordsOf(long length)
    {
        if (length <= 0 || length % GuestMemory.PageSize != 0)
            throw new ArgumentOutOfRangeException(nameof(length), length, $"Guest RAM has a positive multiple of {GuestMemory.PageSize} bytes.");
        return checked((int)((length / GuestMemory.PageSize + PagesPerWord - 1) / PagesPerWord));
    }

    private (long Page, long End) PagesOf(PageRange range)
    {
        if (range.Offset < 0 || range.Length < 0 || range.Offset % GuestMemory.PageSize != 0 || range.Length % GuestMemory.PageSize != 0 || range.Length > Length - range.Offset)
            throw new ArgumentOutOfRangeException(nameof(range), range, $"These are not whole pages within {Length} bytes of guest RAM.");
        return (range.Offset / GuestMemory.PageSize, range.End / GuestMemory.PageSize);
    }

    private static long NextWord(long page) => (page / PagesPerWord + 1) * PagesPerWord;

    /// <summary>The bits of the pages from <paramref name="page"/> to <paramref name="end"/> that share a word with the first.</summary>
    private static ulong MaskOf(long page, long end)
    {
        var mask = ulong.MaxValue << (int)(page % PagesPerWord);
        return end < NextWord(page) ? mask & ((1UL << (int)(end % PagesPerWord)) - 1) : mask;
    }

    /// <summary>The first page from <paramref name="page"/> on that is in the set, or is not.</summary>
    private long Find(long page, bool isIn)
    {
        var flip = isIn ? 0 : ulong.MaxValue;
        var index = page / PagesPerWord;
        if (index >= _words.Length)
            return Length / GuestMemory.PageSize;
        for (var word = (_words[index] ^ flip) & (ulong.MaxValue << (int)(page % PagesPerWord)); ; word = _words[index] ^ flip)
        {
            if (word != 0)
                return Math.Min(index * PagesPerWord + BitOperations.TrailingZeroCount(word), Length / GuestMemory.PageSize);
            if (++index == _words.Length)
                return Length / GuestMemory.PageSize;
        }
    }

    private void RequireSameLength(PageSet other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.Length != Length)
            throw new ArgumentException($"A set of pages of {other.Length} bytes of RAM does not go with one of {Length} bytes.", nameof(other));
    }

    /// <summary>Finds the runs one by one.</summary>
    public struct Enumerator : IEnumerator<PageRange>
    {
        private readonly PageSet _set;
        private long _page;

        internal Enumerator(PageSet set) => _set = set;

        /// <inheritdoc/>
        public PageRange Current { get; private set; }

        readonly object IEnumerator.Current => Current;

        /// <inheritdoc/>
        public bool MoveNext()
        {
            var first = _set.Find(_page, isIn: true);
            _page = _set.Find(first, isIn: false);
            Current = new PageRange(first * GuestMemory.PageSize, (_page - first) * GuestMemory.PageSize);
            return _page > first;
        }

        /// <inheritdoc/>
        public void Reset() => _page = 0;

        /// <inheritdoc/>
        public readonly void Dispose()
        {
        }
    }
}
