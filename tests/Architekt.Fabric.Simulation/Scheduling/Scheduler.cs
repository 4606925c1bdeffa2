namespace Architekt.Fabric.Simulation.Scheduling;

/// <summary>
/// The one thread of a history: what is to happen, ordered by simulated time, and the only source of chance. What is due at the same time
/// happens in the order it was asked for, so a seed decides everything.
/// </summary>
internal sealed class Scheduler(ulong seed, Trace trace)
{
    private Due[] _heap = new Due[256];
    private int _count;
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private ulong _chance = seed;
    private long _order;

    private readonly record struct Due(long At, long Order, SimProcess? Owner, SendOrPostCallback Callback, object? State)
    {
        public bool IsBefore(in Due other) => At < other.At || (At == other.At && Order < other.Order);
    }

    /// <summary>Simulated time since the beginning, in µs.</summary>
    public long Now { get; private set; }

    public Trace Trace => trace;

    public void After(long delay, SimProcess? owner, SendOrPostCallback callback, object? state)
    {
        // Code that awaited outside of any process goes on in the thread pool: then nothing is decided by the seed any more.
        if (Environment.CurrentManagedThreadId != _thread) throw new InvalidOperationException("A history has left its thread.");
        Add(new Due(Now + delay, _order++, owner, callback, state));
    }

    public void After(long delay, SimProcess? owner, Action action) =>
        After(delay, owner, static state => ((Action)state!)(), action);

    /// <summary>Does what is due next. False if nothing is.</summary>
    public bool RunNext()
    {
        if (_count == 0) return false;
        var due = TakeFirst();
        Now = due.At;
        if (due.Owner is null)
        {
            SynchronizationContext.SetSynchronizationContext(null);
            due.Callback(due.State);
        }
        else
        {
            due.Owner.Run(due.Callback, due.State);
        }

        return true;
    }

    /// <summary>A number from <paramref name="from"/> up to and without <paramref name="to"/>.</summary>
    public long Pick(long from, long to) => from + (long)(Next() % (ulong)(to - from));

    public bool Chance(int percent) => Pick(0, 100) < percent;

    // A binary heap of its own, because all that a history does goes through it: the library's queue compares pairs of numbers through an interface.
    private void Add(in Due due)
    {
        if (_count == _heap.Length) Array.Resize(ref _heap, _count * 2);
        var place = _count++;
        while (place > 0 && due.IsBefore(_heap[(place - 1) / 2]))
        {
            _heap[place] = _heap[(place - 1) / 2];
            place = (place - 1) / 2;
        }

        _heap[place] = due;
    }

    private Due TakeFirst()
    {
        var first = _heap[0];
        var last = _heap[--_count];
        _heap[_count] = default;
        var place = 0;
        for (var child = 1; child < _count; child = (2 * place) + 1)
        {
            if (child + 1 < _count && _heap[child + 1].IsBefore(_heap[child])) child++;
            if (!_heap[child].IsBefore(last)) break;
            _heap[place] = _heap[child];
            place = child;
        }

        if (_count > 0) _heap[place] = last;
        return first;
    }

    // SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
    private ulong Next()
    {
        _chance += 0x9E3779B97F4A7C15;
        var z = _chance;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
