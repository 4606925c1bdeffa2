namespace Architekt.Fabric.Faults.Matrix;

/// <summary>All cells, and those a run is about.</summary>
internal static class FaultMatrix
{
    public static IReadOnlyList<Cell> All { get; } =
        [.. from stage in Stage.All from fault in FaultTraits.All let cell = new Cell(stage, fault) where cell.IsPossible select cell];

    /// <summary>The cells of a phase or stage and of a fault; null is any. Empty if there is no such phase, stage or fault.</summary>
    public static IReadOnlyList<Cell> Choose(string? stage, string? fault) =>
    [
        .. All.Where(cell => stage is null or "all" || cell.Stage.Name == stage || cell.Stage.Phase.ToString().Equals(stage, StringComparison.OrdinalIgnoreCase))
            .Where(cell => fault is null || cell.Fault.Name() == fault),
    ];
}
