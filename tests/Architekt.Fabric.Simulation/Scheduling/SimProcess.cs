namespace Architekt.Fabric.Simulation.Scheduling;

/// <summary>
/// A process: where code that awaits goes on. What a process that was killed would have done never happens; what one that is stopped
/// (SIGSTOP) would have done happens when it is continued.
/// </summary>
internal sealed class SimProcess : SynchronizationContext
{
    private readonly Scheduler _scheduler;
    private readonly LinkedList<Action> _mourners = [];
    private readonly Queue<(SendOrPostCallback Callback, object? State)> _held = new();

    public SimProcess(Scheduler scheduler, string name)
    {
        _scheduler = scheduler;
        Name = name;
        Time = new SimTime(scheduler, this);
    }

    public string Name { get; }

    public bool IsAlive { get; private set; } = true;

    public bool IsStopped { get; private set; }

    /// <summary>When it was killed; null while it lives.</summary>
    public long? EndedAt { get; private set; }

    public SimTime Time { get; }

    /// <summary>Nothing it awaits goes on.</summary>
    public void Kill()
    {
        if (!IsAlive) return;
        IsAlive = false;
        EndedAt = _scheduler.Now;
        _held.Clear();
        foreach (var tell in _mourners) tell();
        _mourners.Clear();
    }

    public LinkedListNode<Action> WhenKilled(Action tell) => _mourners.AddLast(tell);

    /// <summary>It does not matter any more.</summary>
    public void Forget(LinkedListNode<Action> mourner)
    {
        if (mourner.List is not null) _mourners.Remove(mourner);
    }

    public void Stop() => IsStopped = true;

    public void Continue()
    {
        IsStopped = false;
        while (_held.TryDequeue(out var held)) _scheduler.After(0, this, held.Callback, held.State);
    }

    public void Run(SendOrPostCallback callback, object? state)
    {
        if (!IsAlive) return;
        if (IsStopped)
        {
            _held.Enqueue((callback, state));
            return;
        }

        SetSynchronizationContext(this);
        callback(state);
    }

    /// <summary>Waits on this process's clock.</summary>
    public Task DelayAsync(long microseconds)
    {
        var done = new TaskCompletionSource();
        _scheduler.After(microseconds, this, static state => ((TaskCompletionSource)state!).TrySetResult(), done);
        return done.Task;
    }

    public override void Post(SendOrPostCallback d, object? state) => _scheduler.After(0, this, d, state);

    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("Nothing in a simulation waits for a thread.");

    public override SynchronizationContext CreateCopy() => this;
}
