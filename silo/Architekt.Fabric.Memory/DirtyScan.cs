namespace Architekt.Fabric.Memory;

/// <summary>What one <see cref="DirtyTracker.Collect"/> found.</summary>
/// <param name="Outcome">Anything but <see cref="DirtyScanOutcome.Complete"/> means the ranges must not be relied on.</param>
/// <param name="Pages">Pages written since the last scan.</param>
/// <param name="Elapsed">Time the scan took.</param>
public readonly record struct DirtyScan(DirtyScanOutcome Outcome, long Pages, TimeSpan Elapsed);
