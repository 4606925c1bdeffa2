using System.Globalization;
using Architekt.Fabric.Simulation.Bugs;
using Architekt.Fabric.Simulation.Histories;
using Architekt.Fabric.Simulation.Scheduling;
using CsCheck;

namespace Architekt.Fabric.Simulation;

/// <summary>Runs many histories on all processors. History number i of a run has the seed of the run plus i, so any of them can be run alone.</summary>
internal static class Runner
{
    private const int MostShown = 5;

    /// <summary>The history a seed stands for.</summary>
    public static History HistoryOf(ulong seed) => HistoryOf(seed, History.Any);

    /// <summary>How many histories from a seed on it takes until a bug is found; null if it is not found in so many.</summary>
    public static long? FindBug(SeededBug bug, ulong seed, long histories)
    {
        var any = AnyWith(bug);
        for (var i = 0L; i < histories; i++)
        {
            if (Simulation.Run(HistoryOf(seed + (ulong)i, any), bug).Count > 0) return i + 1;
        }

        return null;
    }

    private static Gen<History> AnyWith(SeededBug bug) => History.With(Precondition.NeedsLease(bug), Precondition.Of(bug));

    private static History HistoryOf(ulong seed, Gen<History> any) => any.Generate(new PCG(1, seed * 0x9E3779B97F4A7C15), null, out _);

    public static int Run(string[] args)
    {
        if (!TryParse(args, out var histories, out var seed, out var bug))
        {
            Console.Error.WriteLine("Usage: simulate.sh --histories N [--seed S] [--bug NAME]");
            Console.Error.WriteLine($"Bugs: {string.Join(", ", Enum.GetNames<SeededBug>())}");
            return 2;
        }

        Console.WriteLine($"{histories} histories from seed {seed} on, {Environment.ProcessorCount} at a time");
        var began = System.Diagnostics.Stopwatch.GetTimestamp();
        var failed = RunAll(histories, seed, bug);
        foreach (var kind in failed.GroupBy(static one => KindOf(one.Violation)).OrderByDescending(static kind => kind.Count()).Take(MostShown))
        {
            Show(kind.Min(static one => one.Seed), bug);
            Console.WriteLine($"--- like {kind.Count()} of {failed.Count} violations");
        }

        var rate = histories / System.Diagnostics.Stopwatch.GetElapsedTime(began).TotalSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rate:0} histories per second"));
        Console.WriteLine($"{histories} histories, {failed.Count} violations");
        return failed.Count == 0 ? 0 : 1;
    }

    private static List<(ulong Seed, string Violation)> RunAll(long histories, ulong seed, SeededBug bug)
    {
        const long Share = 256;
        var any = AnyWith(bug);
        var next = 0L;
        var done = 0L;
        var failed = new List<(ulong, string)>();
        var threads = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(Work)).ToList();
        threads.ForEach(static thread => thread.Start());
        threads.ForEach(static thread => thread.Join());
        return failed;

        void Work()
        {
            while (Interlocked.Add(ref next, Share) - Share is var first && first < histories)
            {
                var last = Math.Min(first + Share, histories);
                for (var i = first; i < last; i++)
                {
                    if (Simulation.Run(HistoryOf(seed + (ulong)i, any), bug) is not [var violation, ..]) continue;
                    lock (failed) failed.Add((seed + (ulong)i, violation));
                }

                var before = Interlocked.Add(ref done, last - first);
                if (before / 100_000 != (before - (last - first)) / 100_000) Console.WriteLine($"{before} histories so far, {failed.Count} violations");
            }
        }
    }

    /// <summary>What a violation has in common with others: all but its numbers and hosts.</summary>
    private static string KindOf(string violation) => string.Concat(violation.Replace("host-", "", StringComparison.Ordinal).Where(static letter => !char.IsAsciiDigit(letter)));

    private static void Show(ulong seed, SeededBug bug)
    {
        var history = Shrinker.Shrink(HistoryOf(seed, AnyWith(bug)), smaller => Simulation.Run(smaller, bug).Count > 0);
        var trace = new Trace(isOn: true);
        var violations = Simulation.Run(history, bug, trace);
        Console.WriteLine($"--- seed {seed}: {violations[0]}");
        Console.WriteLine($"{history}");
        foreach (var line in trace.Lines) Console.WriteLine(line);
        Console.WriteLine($"--- run it again with --histories 1 --seed {seed}");
    }

    private static bool TryParse(string[] args, out long histories, out ulong seed, out SeededBug bug)
    {
        (histories, seed, bug) = (0, (ulong)DateTime.UtcNow.Ticks, SeededBug.None);
        for (var i = 0; i + 1 < args.Length; i += 2)
        {
            var isRead = args[i] switch
            {
                "--histories" => long.TryParse(args[i + 1], CultureInfo.InvariantCulture, out histories),
                "--seed" => ulong.TryParse(args[i + 1], CultureInfo.InvariantCulture, out seed),
                "--bug" => Enum.TryParse(args[i + 1], out bug),
                _ => false,
            };
            if (!isRead) return false;
        }

        return args.Length % 2 == 0 && histories > 0;
    }
}
