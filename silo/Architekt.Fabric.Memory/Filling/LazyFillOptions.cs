namespace Architekt.Fabric.Memory;

/// <summary>How a <see cref="LazyFill"/> goes about it.</summary>
public sealed record LazyFillOptions
{
    /// <summary>What it does at first; see <see cref="LazyFill.Mode"/>.</summary>
    public FillMode Mode { get; init; } = FillMode.Idle;

    /// <summary>
    /// Pages brought when one is touched: the aligned group it lies in, as far as it is missing. A power of two, 1 to 64. With <see cref="FillMode.None"/> it is always 1.
    /// Each neighbour makes the page that was touched 3 µs later (measured: 10 µs for one page alone, 65 µs with 16), and makes a run of pages come many times faster
    /// (64 MiB in order: 860 ms one by one, 21 ms by 16).
    /// </summary>
    public int FaultAroundPages { get; init; } = 8;

    /// <summary>With <see cref="FillMode.Idle"/>, how long the guest must not have touched anything that is missing before the rest is brought.</summary>
    public TimeSpan QuietTime { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>With <see cref="FillMode.Idle"/>, most bytes a second.</summary>
    public long IdleBytesPerSecond { get; init; } = 64 << 20;

    /// <summary>
    /// Pages that the guest is known to touch soon, <see cref="LazyFill.PagesOnDemand"/> of an earlier time for example: brought at once, before it asks, unless the mode is
    /// <see cref="FillMode.None"/>. A fault costs a guest thread 0.1 ms once both have been scheduled, and a guest takes some 600 before it answers its first request.
    /// </summary>
    public PageSet? First { get; init; }

    internal void Validate()
    {
        if (!Enum.IsDefined(Mode))
            throw new ArgumentOutOfRangeException(nameof(Mode), Mode, "There is no such mode.");
        if (FaultAroundPages is < 1 or > FillMap.BlockPages || !int.IsPow2(FaultAroundPages))
            throw new ArgumentOutOfRangeException(nameof(FaultAroundPages), FaultAroundPages, $"It has to be a power of two up to {FillMap.BlockPages}.");
        ArgumentOutOfRangeException.ThrowIfLessThan(QuietTime, TimeSpan.Zero, nameof(QuietTime));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(IdleBytesPerSecond, nameof(IdleBytesPerSecond));
    }
}
