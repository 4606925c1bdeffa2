using Architekt.Fabric.Benchmarks.Migrate;

namespace Architekt.Fabric.Benchmarks.Start;

/// <summary>Prints what was measured.</summary>
internal static class StartReport
{
    private const double PeerGoalMs = 300;
    private const double CommandGoalMs = 1000;
    private const double RatioGoal = 5;

    public static void Print(IReadOnlyList<StartNumbers> all)
    {
        Console.WriteLine($"{"RAM",-8} {"until the first answered PING",-48} {"starts",6} {"median ms",10} {"range ms",16}  goal ms");
        foreach (var one in all)
        {
            Row(one, "boot of the blueprint, from the command", one.Boots, null);
            Row(one, "package, first time on this host, from the command", [one.First.Milliseconds], null);
            Row(one, "package, from the command", Totals(one), CommandGoalMs);
            Row(one, "  of that, until the peer is started", [.. one.Commands.Select(static start => start.UntilPeerMilliseconds)], null);
            Row(one, "package as it was, from the peer's start", one.Resumes, PeerGoalMs);
            Row(one, "package as a fork, from the peer's start", one.Forks, PeerGoalMs);
        }

        Console.WriteLine();
        foreach (var one in all)
        {
            var (boot, command) = (Median(one.Boots), Median(Totals(one)));
            Console.WriteLine($"{Size(one),-8} the package answers {boot / command:F2} times as soon as the booted blueprint, both from the command (goal: {RatioGoal:F0} or more){Verdict(boot / command >= RatioGoal)}");
        }

        Console.WriteLine();
        Console.WriteLine($"{"RAM",-8} {"resident, MB",-14} {"at the answer",14} {"2 s later",10} {"filled",8} {"the package has",16}");
        foreach (var one in all)
            Console.WriteLine($"{Size(one),-8} {"--fill none",-14} {one.Resident.AtStart / 1e6,14:F1} {one.Resident.Later / 1e6,10:F1} {one.Resident.Filled / 1e6,8:F1} {one.Resident.Package / 1e6,16:F1}");
    }

    private static void Row(StartNumbers of, string what, IReadOnlyList<double> samples, double? goal) => Console.WriteLine(
        $"{Size(of),-8} {what,-48} {samples.Count,6} {Median(samples),10:F0} {$"{samples.Min():F0} to {samples.Max():F0}",16}  "
        + (goal is { } most ? $"{most:F0} or less{Verdict(Median(samples) <= most)}" : "-"));

    private static double[] Totals(StartNumbers one) => [.. one.Commands.Select(static start => start.Milliseconds)];

    private static double Median(IReadOnlyList<double> samples) => Report.Median(samples, static ms => ms);

    private static string Size(StartNumbers one) => $"{one.MemoryBytes >> 20} MiB";

    private static string Verdict(bool isMet) => isMet ? ": met" : ": MISSED";
}
