using System.Diagnostics;
using CsCheck;

namespace Architekt.Fabric.Memory.Tests;

/// <summary>The reason for all of this: pages copied round by round make the same RAM. The oracle is the digest of both sides while the guest stands still.</summary>
public sealed class DirtyTrackerCopyTests
{
    private const int Pages = 3000; // no whole number of page tables
    private readonly List<PageRange> _ranges = [];

    private static readonly Gen<Step> _genStep = Gen.Frequency(
        (8, Gen.Select(Gen.Int[0, Pages - 1], Gen.Byte, (page, value) => new Step($"write {page} {value}"))),
        (4, Gen.Select(Gen.Int[0, Pages - 1], Gen.Int[0, 4095], Gen.Byte, (page, offset, value) => new Step($"poke {page} {offset} {value}"))),
        (2, Gen.Select(Gen.Int[0, Pages - 1], page => new Step($"touch {page}"))),
        (1, Gen.Select(Gen.Int[0, Pages - 1], page => new Step($"kernel {page}"))),
        (2, Gen.Select(Gen.Int[1, 1 << 20], seed => new Step($"start {seed}"))),
        (4, Gen.Const(new Step(null))));

    [Fact]
    public void Rounds_AnyWritesAlsoDuringScans_MakeTheSameRam()
    {
        using var guest = Guest.Start(Pages);
        using var tracker = guest.Attach(mergeGapPages: 4, regionCapacity: 64);
        using var replica = new Replica(guest.Memory, guest["copy"]);
        _genStep.Array[1, 40].Sample(steps =>
        {
            var writing = false;
            foreach (var step in steps)
            {
                if (step.Command is null)
                {
                    Round(tracker, replica);
                }
                else if (!step.Command.StartsWith("start", StringComparison.Ordinal))
                {
                    guest.Do(step.Command);
                }
                else if (!writing)
                {
                    guest.Do(step.Command);
                    writing = true;
                }
            }
            if (writing)
                guest.Ask("stop");
            Round(tracker, replica);
            replica.AssertEqualsSource();
        }, iter: 150, threads: 1);
    }

    [Fact]
    public void Rounds_GuestWritesWithoutPause_LoseNoWrite()
    {
        using var guest = Guest.Start(16384);
        guest.Do(Enumerable.Range(0, 2000).Select(page => $"poke {page * 8} 0 1"));
        using var tracker = guest.Attach();
        using var replica = new Replica(guest.Memory, guest["copy"]);
        replica.CopyAll();
        for (var migration = 1; migration <= 10; migration++)
        {
            guest.Do($"start {migration}");
            var begin = Stopwatch.GetTimestamp();
            var (rounds, pages) = (0, 0L);
            while ((rounds < 50 || pages < 10_000) && Stopwatch.GetElapsedTime(begin) < TimeSpan.FromSeconds(20))
            {
                pages += Round(tracker, replica);
                rounds++;
            }
            guest.Ask("stop");
            Round(tracker, replica);
            replica.AssertEqualsSource();
            Assert.True(rounds >= 50 && pages >= 10_000, $"only {pages} pages in {rounds} rounds: nothing was proven");
        }
    }

    [Fact]
    public void Rounds_LastOneLeftOut_AreFoundOutByTheOracle()
    {
        using var guest = Guest.Start(Pages);
        using var tracker = guest.Attach();
        using var replica = new Replica(guest.Memory, guest["copy"]);
        guest.Do("write 5 1");
        Round(tracker, replica);
        guest.Do("poke 2999 4095 1");
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(replica.AssertEqualsSource);
        Round(tracker, replica);
        replica.AssertEqualsSource();
    }

    private long Round(DirtyTracker tracker, Replica replica)
    {
        var scan = tracker.Collect(_ranges);
        Assert.Equal(DirtyScanOutcome.Complete, scan.Outcome);
        Assert.All(_ranges.Zip(_ranges.Skip(1)), pair => Assert.True(pair.First.End < pair.Second.Offset, "ranges ascend and do not touch"));
        replica.Copy(_ranges);
        return scan.Pages;
    }

    /// <summary>A command for the guest, or null for a round.</summary>
    private sealed record Step(string? Command);
}
