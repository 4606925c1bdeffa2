namespace Architekt.Fabric.Simulation.Scheduling;

/// <summary>Simulated time as a process sees it: its timers are its own and die with it.</summary>
internal sealed class SimTime(Scheduler scheduler, SimProcess owner) : TimeProvider
{
    private static readonly DateTimeOffset Epoch = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => 1_000_000;

    public override long GetTimestamp() => scheduler.Now;

    public override DateTimeOffset GetUtcNow() => Epoch.AddTicks(scheduler.Now * TimeSpan.TicksPerMicrosecond);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class Timer(SimTime time, TimerCallback callback, object? state) : ITimer
    {
        private int _version;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (period != Timeout.InfiniteTimeSpan && period != TimeSpan.Zero) throw new NotSupportedException("Only timers that fire once are simulated.");
            var version = ++_version;
            if (dueTime != Timeout.InfiniteTimeSpan) time.Schedule(dueTime, () => Fire(version));
            return true;
        }

        public void Dispose() => _version++;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Fire(int version)
        {
            if (version == _version) callback(state);
        }
    }

    private void Schedule(TimeSpan dueTime, Action fire) => scheduler.After((long)dueTime.TotalMicroseconds, owner, fire);
}
