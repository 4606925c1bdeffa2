namespace Architekt.Fabric.Simulation.Scheduling;

/// <summary>CLOCK_BOOTTIME of a machine: nobody sets it, no two agree, and it is a little fast or slow.</summary>
/// <param name="scheduler">Simulated time.</param>
/// <param name="perMille">How far it goes in a thousandth of what passes.</param>
internal sealed class SimClock(Scheduler scheduler, long perMille)
{
    public TimeSpan Now => TimeSpan.FromMicroseconds(scheduler.Now * perMille / 1000);

    /// <summary>How much simulated time passes until it shows a time, in µs.</summary>
    public long Until(TimeSpan time) => Math.Max(0, ((long)(time - Now).TotalMicroseconds * 1000 / perMille) + 1);
}
