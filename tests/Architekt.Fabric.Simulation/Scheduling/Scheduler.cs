namespace Architekt.Fabric.Simulation.Scheduling;

/// <summary>
/// The one thread of a history: what is to happen, ordered by simulated time, and the only source of chance. What is due at the same time
/// happens in the order it was asked for, so a seed decides everything.
/// </summary>
internal sealed class Scheduler(ulong seed, Trace trace)
{
    private readonly PriorityQueue<Due, (long At, long Order)> _queue = new(256);
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private ulong _chance = seed;
    private long _order;

    private readonly record struct Due(SimProcess? Owner, SendOrPostCallback Callback, object? State);

    /// <summary>Simulated time since the beginning, in µs.</summary>
    public long Now { get; private set; }

    public Trace Trace => trace;

    public void After(long delay, SimProcess? owner, SendOrPostCallback callback, object? state)
    {
        // Code that awaited outside of any process goes on in the thread pool: then nothing is decided by the seed any more.
        if (Environment.CurrentManagedThreadId != _thread) throw new InvalidOperationException("A history has left its thread.");
        _queue.Enqueue(new Due(owner, callback, state), (Now + delay, _order++));
    }

    public void After(long delay, SimProcess? owner, Action action) =>
        After(delay, owner, static state => ((Action)state!)(), action);

    /// <summary>Does what is due next. False if nothing is.</summary>
    public bool RunNext()
    {
        if (!_queue.TryDequeue(out var due, out var key)) return false;
        Now = key.At;
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
