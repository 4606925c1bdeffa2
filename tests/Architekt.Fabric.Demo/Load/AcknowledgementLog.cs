namespace Architekt.Fabric.Demo.Load;

/// <summary>When each write was acknowledged, and which stretches of that time somebody asked about.</summary>
/// <remarks>One writer adds; any thread may ask.</remarks>
internal sealed class AcknowledgementLog(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly List<long> _times = [];
    private readonly Dictionary<string, (long Begin, long? End)> _intervals = [];

    public long Count
    {
        get { lock (_gate) return _times.Count; }
    }

    public void Add()
    {
        var now = time.GetTimestamp();
        lock (_gate) _times.Add(now);
    }

    public void Begin(string name)
    {
        var now = time.GetTimestamp();
        lock (_gate) _intervals[name] = (now, null);
    }

    /// <summary>Ends an interval that was begun; false for a name nobody began.</summary>
    public bool End(string name)
    {
        var now = time.GetTimestamp();
        lock (_gate)
        {
            if (!_intervals.TryGetValue(name, out var interval)) return false;
            _intervals[name] = (interval.Begin, now);
            return true;
        }
    }

    /// <summary>What happened in an interval; one that has not ended reaches until now.</summary>
    public GapReport Measure(string name)
    {
        var now = time.GetTimestamp();
        lock (_gate)
        {
            var (begin, end) = _intervals[name];
            return MeasureLocked(name, begin, end ?? now, now);
        }
    }

    /// <summary>What happened from the first acknowledgement until now.</summary>
    public GapReport MeasureAll()
    {
        var now = time.GetTimestamp();
        lock (_gate) return MeasureLocked("all", _times.Count == 0 ? now : _times[0], now, now);
    }

    /// <remarks>A gap counts where it overlaps the interval, and then with its whole length: what a client felt does not end at a mark.</remarks>
    private GapReport MeasureLocked(string name, long begin, long end, long now)
    {
        // The first acknowledgement after the beginning closes the gap that was open at the beginning.
        var first = FirstAtOrAfter(begin);
        var last = first;
        var longest = TimeSpan.Zero;
        for (; last < _times.Count && _times[last] <= end; last++)
            longest = Longer(longest, last == 0 ? begin : _times[last - 1], _times[last]);
        longest = Longer(longest, last == 0 ? begin : _times[last - 1], last < _times.Count ? _times[last] : now);
        return new GapReport(name, last - first, longest.TotalMilliseconds, time.GetElapsedTime(begin, end).TotalSeconds);
    }

    private TimeSpan Longer(TimeSpan longest, long from, long to)
    {
        var gap = time.GetElapsedTime(from, to);
        return gap > longest ? gap : longest;
    }

    private int FirstAtOrAfter(long timestamp)
    {
        var index = _times.BinarySearch(timestamp);
        if (index < 0) return ~index;
        while (index > 0 && _times[index - 1] == timestamp) index--;
        return index;
    }
}
