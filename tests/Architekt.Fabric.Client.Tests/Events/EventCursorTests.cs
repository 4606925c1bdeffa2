using Architekt.Fabric.Client.Events;
using Architekt.Fabric.Client.Tests.Fakes;
using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace Architekt.Fabric.Client.Tests.Events;

public sealed class EventCursorTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Take_NumbersMissing_NotesTheGap()
    {
        var cursor = new EventCursor(_time);
        cursor.StartBehind(10);

        var taken = cursor.Take([Samples.Event(11), Samples.Event(15)]).ToList();

        Assert.Equal([11, 15], taken.Select(happened => happened.Sequence));
        Assert.Equal([(12, 14)], cursor.OpenGaps());
        Assert.Equal(15, cursor.Last);
    }

    [Fact]
    public void TakeLate_EventInTheMiddle_SplitsTheGap()
    {
        var cursor = new EventCursor(_time);
        cursor.StartBehind(0);
        _ = cursor.Take([Samples.Event(5)]).ToList();

        var late = cursor.TakeLate([Samples.Event(2), Samples.Event(5)]).ToList();

        Assert.Equal([2], late.Select(happened => happened.Sequence));
        Assert.Equal([(1, 1), (3, 4)], cursor.OpenGaps().Order());
    }

    [Fact]
    public void OpenGaps_AfterTheirTime_AreForgotten()
    {
        var cursor = new EventCursor(_time);
        cursor.StartBehind(0);
        _ = cursor.Take([Samples.Event(2)]).ToList();

        _time.Advance(EventCursor.GapPatience + TimeSpan.FromSeconds(1));

        Assert.Empty(cursor.OpenGaps());
    }

    [Fact]
    public void Take_GapLongBeforeTheNewestEvent_IsNotLookedAt()
    {
        var cursor = new EventCursor(_time);
        cursor.StartBehind(0);

        _ = cursor.Take([Samples.Event(5), Samples.Event(6, Samples.Start.AddHours(1))]).ToList();

        Assert.Empty(cursor.OpenGaps());
    }

    /// <summary>Whatever the order in which transactions commit, every event comes out exactly once.</summary>
    [Fact]
    public void TakeAndTakeLate_AnyCommitOrder_GiveEveryEventOnce() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[0, 1000]).SelectMany((count, seed) => Gen.Shuffle(Enumerable.Range(1, count).Select(number => (long)number).ToArray()))
            .Sample(order =>
            {
                var cursor = new EventCursor(_time);
                cursor.StartBehind(0);
                var visible = new SortedSet<long>();
                var seen = new List<long>();
                foreach (var number in order)
                {
                    visible.Add(number);
                    seen.AddRange(cursor.Take(Page(visible, cursor.Last, int.MaxValue)).Select(happened => happened.Sequence));
                    foreach (var (first, last) in cursor.OpenGaps())
                        seen.AddRange(cursor.TakeLate(Page(visible, first - 1, (int)(last - first + 1))).Select(happened => happened.Sequence));
                }

                return seen.Count == order.Length && seen.Distinct().Count() == order.Length;
            });

    private static List<FabricEvent> Page(SortedSet<long> visible, long after, int limit) =>
        [.. visible.Where(number => number > after).Take(limit).Select(number => Samples.Event(number))];
}
