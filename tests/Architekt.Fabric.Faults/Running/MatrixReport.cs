using Architekt.Fabric.Faults.Matrix;

namespace Architekt.Fabric.Faults.Running;

/// <summary>The matrix as a table of Markdown: faults down, stages across.</summary>
internal static class MatrixReport
{
    public static void Print(IReadOnlyList<CellResult> results)
    {
        Stage[] stages = [.. Stage.All.Where(stage => results.Any(result => result.Cell.Stage == stage))];
        Console.WriteLine($"| | {string.Join(" | ", stages.Select(static stage => stage.Name))} |");
        Console.WriteLine($"|---{string.Concat(stages.Select(static _ => "|---"))}|");
        foreach (var fault in FaultTraits.All.Where(fault => results.Any(result => result.Cell.Fault == fault)))
            Console.WriteLine($"| {fault.Name()} | {string.Join(" | ", stages.Select(stage => Describe(results, stage, fault)))} |");
    }

    private static string Describe(IReadOnlyList<CellResult> results, Stage stage, Fault fault) =>
        results.FirstOrDefault(result => result.Cell.Stage == stage && result.Cell.Fault == fault)?.Summary ?? (new Cell(stage, fault).IsPossible ? "" : "–");
}
