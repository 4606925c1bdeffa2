using Architekt.Fabric.Grains;

namespace Architekt.Fabric.Silo.Ownership;

/// <summary>When a VM that failed is started again, as plain code: later each time, and not for ever.</summary>
internal static class RestartPolicy
{
    /// <summary>Restarts in a row after which a VM is left alone.</summary>
    public const int Limit = 5;

    /// <summary>A VM that has run this long begins to count anew.</summary>
    public static readonly TimeSpan Settled = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMinutes(1);

    /// <summary>What to do about a VM that has failed.</summary>
    public static RestartDecision Decide(FailedVm seen)
    {
        var restarts = seen.RanFor >= Settled ? 0 : seen.Restarts;
        if (restarts >= Limit) return RestartDecision.GiveUp;
        var delay = TimeSpan.FromTicks(Math.Min(LongestDelay.Ticks, FirstDelay.Ticks << restarts));
        return seen.FailedFor < delay ? RestartDecision.Wait : new RestartDecision(IsDue: true, HasGivenUp: false, restarts + 1);
    }
}
