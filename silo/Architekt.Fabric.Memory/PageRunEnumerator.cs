namespace Architekt.Fabric.Memory;

/// <summary>
/// Cuts a range of guest RAM into runs of zero pages and runs of data pages, without allocating. Usable in <c>foreach</c>.
/// Holes are recognised from the file and never read: reading a hole through a shared mapping makes tmpfs allocate the page.
/// While a guest writes, a run describes the moment it was looked at; a later change is in the next dirty scan.
/// </summary>
public struct PageRunEnumerator
{
    private readonly GuestMemory _memory;
    private readonly long _end;
    private readonly int _maximum;
    private long _position;
    private long _holeEnd;
    private long _askedFrom;
    private long _askedTo;
    private ulong _present;
    private PageRun _current;

    internal PageRunEnumerator(GuestMemory memory, PageRange range, int maximumLength)
    {
        _memory = memory;
        _position = range.Offset;
        _end = range.End;
        _maximum = maximumLength;
    }

    /// <summary>The run found by the last <see cref="MoveNext"/>.</summary>
    public readonly PageRun Current => _current;

    /// <summary>Itself, for <c>foreach</c>.</summary>
    public readonly PageRunEnumerator GetEnumerator() => this;

    /// <summary>Finds the next run.</summary>
    /// <returns>False at the end of the range.</returns>
    public bool MoveNext()
    {
        if (_position >= _end)
            return false;

        var start = _position;
        var limit = Math.Min(_end, start + _maximum);
        var zero = IsZeroPage(start);
        var position = NextPage(start, limit);
        while (position < limit && IsZeroPage(position) == zero)
            position = NextPage(position, limit);
        _position = position;
        _current = new PageRun(start, (int)(position - start), zero);
        return true;
    }

    private bool IsZeroPage(long offset)
    {
        if (offset < _holeEnd)
            return true;
        // Not present is not yet a hole, the page may be swapped out; that costs a call for each page, so it is asked only then.
        if (!IsPresent(offset) && (_holeEnd = _memory.NextData(offset)) > offset)
            return true;
        return GuestMemory.IsZero(_memory.GetSpan(offset, GuestMemory.PageSize));
    }

    private bool IsPresent(long offset)
    {
        if (offset >= _askedTo)
        {
            _askedFrom = offset;
            _askedTo = Math.Min(_end, offset + (64 * GuestMemory.PageSize));
            _present = _memory.PresentPages(offset, (int)((_askedTo - offset) / GuestMemory.PageSize));
        }
        return ((_present >> (int)((offset - _askedFrom) / GuestMemory.PageSize)) & 1) != 0;
    }

    private readonly long NextPage(long offset, long limit) => offset < _holeEnd ? Math.Min(_holeEnd, limit) : offset + GuestMemory.PageSize;
}
