using System.Globalization;
using Architekt.Fabric.Faults.Matrix;

namespace Architekt.Fabric.Faults.Running;

/// <summary>Runs cells one after the other on one fabric.</summary>
internal sealed class MatrixRun(FaultFabric fabric, IReadOnlyList<Cell> cells)
{
    // A reminder comes every minute, and the one after the end of its migration has to find out that it is not needed any more.
    private static readonly TimeSpan _reminderLimit = TimeSpan.FromSeconds(150);

    public async Task<IReadOnlyList<CellResult>> RunAsync(CancellationToken cancellationToken)
    {
        var results = new List<CellResult>();
        foreach (var cell in cells)
        {
            Console.Write($"{cell.Stage.Name,-20} {cell.Fault.Name(),-24} ");
            var result = await new CellRun(fabric, cell, string.Create(CultureInfo.InvariantCulture, $"cell-{results.Count + 1}")).RunAsync(cancellationToken);
            results.Add(result);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{result.Summary,-22} {result.Seconds,6:0.0} s {result.QuietSeconds,6:0.0} s"));
            if (result.Failure is null) continue;
            Console.WriteLine($"    {result.Failure.ReplaceLineEndings("\n    ")}");
            await fabric.RepairAsync(cancellationToken);
        }

        return results;
    }

    /// <summary>What must be so in the end, whatever the cells were: null, or what is not.</summary>
    public async Task<string?> FindAtTheEndAsync(CancellationToken cancellationToken)
    {
        try
        {
            var breaches = await fabric.FindBreachesAsync(cancellationToken);
            if (breaches.Count > 0) return string.Join("; ", breaches);
            await Until.NothingAsync(
                async () => await fabric.Record.ListRemindersAsync(cancellationToken) is [var reminder, ..] ? $"a reminder of {reminder}, which has ended" : null,
                _reminderLimit,
                cancellationToken);
            return null;
        }
        catch (CellFailedException error)
        {
            return error.Message;
        }
    }
}
