using System.Diagnostics;

namespace Architekt.Fabric.Faults.Running;

/// <summary>Waiting for conditions, and no longer than is allowed.</summary>
internal static class Until
{
    private static readonly TimeSpan _long = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _interval = TimeSpan.FromMilliseconds(50);

    /// <summary>Waits until <paramref name="look"/> finds nothing wrong any more. Returns how long that took.</summary>
    /// <param name="look">Says what is still missing; null once all is well.</param>
    /// <param name="limit">How long it may take.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="CellFailedException">It took too long; with what was missing in the end.</exception>
    public static async Task<TimeSpan> NothingAsync(Func<Task<string?>> look, TimeSpan limit, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        string? last = null;
        while (await look() is { } missing)
        {
            last = missing;
            if (Stopwatch.GetElapsedTime(began) > limit) throw new CellFailedException($"after {limit.TotalSeconds:0} s still: {missing}");
            await Task.Delay(_interval, cancellationToken);
        }

        if (last is not null && Stopwatch.GetElapsedTime(began) > _long) Console.Error.WriteLine($"    waited {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s, in the end for: {last}");
        return Stopwatch.GetElapsedTime(began);
    }
}
