namespace Architekt.Fabric.Client.Events;

/// <summary>
/// Where a reader of the event record is. A sequence number is drawn before its transaction commits, so a number may be missing when its successors can be read already
/// and appear later. Gaps are therefore looked at again for a while; most are numbers of transactions that were rolled back and stay empty.
/// </summary>
internal sealed class EventCursor(TimeProvider time)
{
    /// <summary>How long a transaction that records an event may reasonably take.</summary>
    public static readonly TimeSpan GapPatience = TimeSpan.FromSeconds(15);

    private const int MaxGaps = 64;
    private readonly List<Gap> _gaps = [];

    private readonly record struct Gap(long First, long Last, long SeenAt);

    /// <summary>The highest sequence seen.</summary>
    public long Last { get; private set; }

    public void StartBehind(long sequence) => Last = sequence;

    /// <summary>Takes a page read behind <see cref="Last"/>; returns what is new, in order, and notes what is missing.</summary>
    public IEnumerable<FabricEvent> Take(IReadOnlyList<FabricEvent> page)
    {
        if (page.Count == 0) yield break;
        // Only what happened around the newest event can still be on its way; older gaps are the past's and empty for good.
        var settled = page[^1].At - GapPatience;
        foreach (var happened in page)
        {
            if (happened.Sequence <= Last) continue;
            if (happened.Sequence > Last + 1 && happened.At >= settled && _gaps.Count < MaxGaps)
                _gaps.Add(new Gap(Last + 1, happened.Sequence - 1, time.GetTimestamp()));
            Last = happened.Sequence;
            yield return happened;
        }
    }

    /// <summary>The gaps still worth a look.</summary>
    public IReadOnlyList<(long First, long Last)> OpenGaps()
    {
        _gaps.RemoveAll(gap => time.GetElapsedTime(gap.SeenAt) > GapPatience);
        return [.. _gaps.Select(gap => (gap.First, gap.Last))];
    }

    /// <summary>Takes a page read inside a gap; returns what has appeared there.</summary>
    public IEnumerable<FabricEvent> TakeLate(IReadOnlyList<FabricEvent> page)
    {
        foreach (var happened in page)
        {
            var index = _gaps.FindIndex(gap => happened.Sequence >= gap.First && happened.Sequence <= gap.Last);
            if (index < 0) continue;
            var gap = _gaps[index];
            _gaps.RemoveAt(index);
            if (gap.First < happened.Sequence) _gaps.Add(gap with { Last = happened.Sequence - 1 });
            if (gap.Last > happened.Sequence) _gaps.Add(gap with { First = happened.Sequence + 1 });
            yield return happened;
        }
    }
}
