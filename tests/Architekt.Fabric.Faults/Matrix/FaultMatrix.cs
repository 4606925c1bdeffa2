namespace Architekt.Fabric.Faults.Matrix;

/// <summary>All cells, and those a run is about.</summary>
internal static class FaultMatrix
{
    public static IReadOnlyList<Cell> All { get; } =
        [.. from stage in Stage.All from fault in FaultTraits.All let cell = new Cell(stage, fault) where cell.IsPossible select cell];

    /// <summary>The cells of phases or stages and of a fault. Empty if there is no such phase, stage or fault.</summary>
    /// <param name="stages">Names of phases or stages, with commas between them; <c>all</c> is any.</param>
    /// <param name="fault">Name of a fault; null is any.</param>
    public static IReadOnlyList<Cell> Choose(string stages, string? fault)
    {
        var names = stages.Split(',');
        return
        [
            .. All.Where(cell => stages == "all" || names.Contains(cell.Stage.Name) || names.Contains(cell.Stage.Phase.ToString(), StringComparer.OrdinalIgnoreCase))
                .Where(cell => fault is null || cell.Fault.Name() == fault),
        ];
    }
}
