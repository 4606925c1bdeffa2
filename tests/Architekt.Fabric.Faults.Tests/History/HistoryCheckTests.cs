using Architekt.Fabric.Faults.History;
using CsCheck;

namespace Architekt.Fabric.Faults.Tests.History;

public sealed class HistoryCheckTests
{
    private static readonly DateTimeOffset Zero = DateTimeOffset.UnixEpoch;

    private static readonly Ownership[] OwnedTwice = [new("vm", 1, "host-a", At(0)), new("vm", 2, "host-b", At(50))];

    [Fact]
    public void Find_CopiesOneAfterTheOther_FindsNothing() => Assert.Empty(HistoryCheck.Find(
        [Run("host-a", 1, 1, 20), Run("host-a", 1, 30, 49), Run("host-b", 2, 51, null)], OwnedTwice));

    [Theory]
    [InlineData("host-a", 1, 49, null)]
    [InlineData("host-a", 1, 49, 60)]
    [InlineData("host-b", 2, 20, 30)]
    public void Find_CopiesAtTheSameTime_FindsThem(string host, long epoch, int from, int? to)
    {
        var found = HistoryCheck.Find([Run("host-a", 1, 1, 40), Run(host, epoch, from, to), Run("host-b", 2, 51, null)], OwnedTwice);
        Assert.Contains(found, breach => breach.StartsWith("two copies ran at once", StringComparison.Ordinal));
    }

    [Fact]
    public void Find_CopyThatRanBeforeTheCommit_FindsIt() =>
        Assert.Contains("before it was the owner", Assert.Single(HistoryCheck.Find([Run("host-a", 1, 1, 40), Run("host-b", 2, 45, null)], OwnedTwice)), StringComparison.Ordinal);

    [Fact]
    public void Find_CopyThatRanAfterTheCommit_FindsIt() =>
        Assert.Contains("had become the owner", Assert.Single(HistoryCheck.Find([Run("host-a", 1, 1, 55), Run("host-b", 2, 60, null)], OwnedTwice)), StringComparison.Ordinal);

    [Theory]
    [InlineData("host-b", 1)]
    [InlineData("host-a", 7)]
    public void Find_CopyThatWasNeverTheOwner_FindsIt(string host, long epoch) =>
        Assert.Contains(HistoryCheck.Find([Run(host, epoch, 10, 20)], OwnedTwice), breach => breach.StartsWith("a copy ran that never was the owner", StringComparison.Ordinal));

    [Theory]
    [InlineData(2, "host-a")]
    [InlineData(1, "host-b")]
    public void Find_EpochThatDidNotGrow_FindsIt(long epoch, string host) =>
        Assert.Contains("did not grow", Assert.Single(HistoryCheck.Find([], [new("vm", 2, "host-b", At(0)), new("vm", epoch, host, At(1))])), StringComparison.Ordinal);

    /// <summary>Intervals overlap if and only if there is a moment that is in two of them: looked for moment by moment.</summary>
    [Fact]
    public void Find_AnyHistory_FindsOverlapsAndNothingElse()
    {
        var run = Gen.Select(Gen.Int[0, 20], Gen.Int[1, 5], Gen.Bool, static (from, length, isOpen) => Run("host-a", 1, from, isOpen ? null : from + length));
        run.List[0, 5].Sample(runs =>
        {
            var moments = Enumerable.Range(0, 60).Select(static half => Zero.AddMilliseconds(half / 2.0 + 0.25));
            var overlaps = moments.Any(moment => runs.Count(one => one.From <= moment && (one.To is null || moment < one.To)) > 1);
            return overlaps == HistoryCheck.Find(runs, [new("vm", 1, "host-a", At(0))]).Any(static breach => breach.StartsWith("two copies", StringComparison.Ordinal));
        });
    }

    private static RunInterval Run(string host, long epoch, int from, int? to) => new(host, "vm", epoch, At(from), to is { } end ? At(end) : null);

    private static DateTimeOffset At(int ms) => Zero.AddMilliseconds(ms);
}
