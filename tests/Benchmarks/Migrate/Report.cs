namespace Architekt.Fabric.Benchmarks.Migrate;

/// <summary>Prints what was measured.</summary>
internal static class Report
{
    public static void PrintHeader() =>
        Console.WriteLine($"{"variant",-14} {"total ms",9} {"pause ms",9} {"client gap ms",14} {"MB on wire",11} {"writes/s",9}  guest");

    public static void Print(Sample sample) => Console.WriteLine(
        $"{sample.Variant,-14} {sample.Numbers?.TotalMs,9:F0} {sample.Numbers?.PauseMs,9:F1} {sample.ClientGapMs,14:F1} "
        + $"{sample.Numbers?.BytesOnWire / 1e6,11:F1} {sample.WritesPerSecond,9:F0}  {sample.Damage ?? "intact"}");

    public static void PrintSummary(IReadOnlyCollection<Sample> samples)
    {
        foreach (var group in samples.GroupBy(sample => sample.Variant))
        {
            var good = group.Where(sample => sample.Numbers is not null).ToList();
            if (good.Count == 0)
            {
                Console.WriteLine($"{group.Key,-14} no migration succeeded");
                continue;
            }
            Console.WriteLine(
                $"{group.Key,-14} {Median(good, s => s.Numbers!.TotalMs),9:F0} {Median(good, s => s.Numbers!.PauseMs),9:F1} {Median(good, s => s.ClientGapMs),14:F1} "
                + $"{Median(good, s => s.Numbers!.BytesOnWire) / 1e6,11:F1} {Median(good, s => s.WritesPerSecond),9:F0}  "
                + $"{group.Count(s => s.Damage is null)} of {group.Count()} intact, pause {good.Min(s => s.Numbers!.PauseMs):F1} to {good.Max(s => s.Numbers!.PauseMs):F1} ms");
        }
    }

    public static double Median<T>(IEnumerable<T> values, Func<T, double> value)
    {
        var sorted = values.Select(value).Order().ToArray();
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
