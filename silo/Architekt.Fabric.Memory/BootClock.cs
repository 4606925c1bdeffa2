using Architekt.Fabric.Memory.Interop;

namespace Architekt.Fabric.Memory;

/// <summary>
/// CLOCK_BOOTTIME (clock_gettime(2)): never set, the same for all processes of a machine, and, unlike what .NET has, going on while the machine is suspended.
/// </summary>
public static class BootClock
{
    /// <summary>Time since the machine was started.</summary>
    public static unsafe TimeSpan Now
    {
        get
        {
            var time = stackalloc long[2];
            return Libc.ClockGetTime(Libc.ClockBootTime, time) == 0
                ? TimeSpan.FromTicks((time[0] * TimeSpan.TicksPerSecond) + (time[1] / TimeSpan.NanosecondsPerTick))
                : throw new IOException($"CLOCK_BOOTTIME cannot be read: {Libc.LastError()}");
        }
    }
}
