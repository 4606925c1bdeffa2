namespace Architekt.Fabric.Memory;

/// <summary>What can be done with runs of pages as a whole.</summary>
public static class PageRanges
{
    /// <summary>Joins runs with little between them. What lies between becomes part of them.</summary>
    /// <param name="ranges">In ascending order, none overlapping another; changed in place.</param>
    /// <param name="largestGap">Most bytes between two runs that are joined; 0 joins only those that touch.</param>
    public static void Join(List<PageRange> ranges, long largestGap)
    {
        ArgumentNullException.ThrowIfNull(ranges);
        ArgumentOutOfRangeException.ThrowIfNegative(largestGap);
        var last = 0;
        for (var i = 1; i < ranges.Count; i++)
        {
            if (ranges[i].Offset - ranges[last].End <= largestGap)
                ranges[last] = ranges[last] with { Length = ranges[i].End - ranges[last].Offset };
            else
                ranges[++last] = ranges[i];
        }

        if (ranges.Count > 0) ranges.RemoveRange(last + 1, ranges.Count - last - 1);
    }
}
