using Architekt.Fabric.Simulation.Bugs;
using Architekt.Fabric.Simulation.Histories;
using Architekt.Fabric.Simulation.Scheduling;
using CsCheck;

namespace Architekt.Fabric.Simulation.Tests;

public sealed class HistoryTests
{
    private const long Histories = 20_000;

    [Fact]
    public void AnyHistory_BreaksNoInvariant() => History.Any.Sample(
        static history => Assert.Empty(Simulation.Run(history)),
        iter: Histories,
        print: static history => $"seed {history.Seed}{Environment.NewLine}{history}");

    [Fact]
    public void SameSeed_IsTheSameHistoryStepByStep()
    {
        for (var seed = 0UL; seed < 100; seed++)
        {
            var first = Replay(seed);
            Assert.NotEmpty(first);
            Assert.Equal(first, Replay(seed));
        }
    }

    [Fact]
    public void QuietHistory_MovesTheVmAndNothingElse()
    {
        var trace = new Trace(isOn: true);
        var history = new History(1, [new Happening(Kind.Migrate, null, 0, IsAfter: false, 0, Place.Destination, 0)]);

        Assert.Empty(Simulation.Run(history, SeededBug.None, trace));

        string[] runs = [.. trace.Lines.Where(static line => line.Contains(" the guest on ", StringComparison.Ordinal)).Select(static line => line[(line.IndexOf(" ms ", StringComparison.Ordinal) + 4)..].Trim())];
        Assert.Equal(["the guest on host-a with epoch 1 runs", "the guest on host-a with epoch 1 stands", "the guest on host-b with epoch 2 runs"], runs);
    }

    [Fact]
    public void HostOfAVmWithALeaseIsLost_AnotherRunsItOnceLeaseAndMarginAreOver()
    {
        for (var seed = 0UL; seed < 20; seed++)
        {
            var trace = new Trace(isOn: true);
            var history = new History(seed, [new Happening(Kind.KillHost, null, 0, IsAfter: false, 3_000_000, Place.Owner, 40_000_000)], HasLease: true);

            Assert.Empty(Simulation.Run(history, SeededBug.None, trace));

            string[] lines = [.. trace.Lines.Where(static line => line.Contains(" the guest on ", StringComparison.Ordinal))];
            Assert.Equal(3, lines.Length);
            Assert.Contains("the guest on host-a with epoch 1 stands", lines[1], StringComparison.Ordinal);
            Assert.EndsWith(" with epoch 2 runs", lines[2], StringComparison.Ordinal);
            Assert.DoesNotContain("host-a", lines[2], StringComparison.Ordinal);

            // The last renewal was at 3 s at the latest and not before 0, and the clocks of hosts are up to 5 % off.
            Assert.InRange(double.Parse(lines[2].AsSpan(0, 12), System.Globalization.CultureInfo.InvariantCulture), 19_000, 28_000);
        }
    }

    private static IReadOnlyList<string> Replay(ulong seed)
    {
        var trace = new Trace(isOn: true);
        Simulation.Run(Runner.HistoryOf(seed), SeededBug.None, trace);
        return trace.Lines;
    }
}
