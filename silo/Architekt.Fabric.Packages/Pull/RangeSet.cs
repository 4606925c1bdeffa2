namespace Architekt.Fabric.Packages;

/// <summary>Which bytes of an entry are there: ranges in order that neither overlap nor touch.</summary>
/// <param name="size">The entry's length in bytes.</param>
internal sealed class RangeSet(long size)
{
    private readonly List<PackageRange> _ranges = [];

    /// <summary>Bytes in all ranges.</summary>
    internal long Length { get; private set; }

    /// <summary>Adds a range; what of it was there stays.</summary>
    internal void Add(PackageRange range)
    {
        var (start, end) = (range.Offset, range.End);
        var first = _ranges.FindIndex(known => known.End >= start);
        if (first < 0)
            first = _ranges.Count;
        var count = 0;
        while (first + count < _ranges.Count && _ranges[first + count].Offset <= end)
        {
            var known = _ranges[first + count++];
            (start, end) = (Math.Min(start, known.Offset), Math.Max(end, known.End));
            Length -= known.Length;
        }

        _ranges.RemoveRange(first, count);
        _ranges.Insert(first, new PackageRange(start, end - start));
        Length += end - start;
    }

    /// <summary>What is not there, in order.</summary>
    internal IReadOnlyList<PackageRange> Missing()
    {
        var missing = new List<PackageRange>();
        var position = 0L;
        foreach (var range in _ranges)
        {
            if (range.Offset > position)
                missing.Add(new PackageRange(position, range.Offset - position));
            position = range.End;
        }

        if (position < size)
            missing.Add(new PackageRange(position, size - position));
        return missing;
    }
}
