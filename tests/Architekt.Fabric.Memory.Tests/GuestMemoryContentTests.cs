using CsCheck;

namespace Architekt.Fabric.Memory.Tests;

public sealed class GuestMemoryContentTests : IDisposable
{
    private const int Page = GuestMemory.PageSize;
    private const int Pages = 96;

    private static readonly Gen<PageKind[]> _genRam =
        Gen.Select(Gen.Enum<PageKind>(), Gen.Int[1, 12]).Array[1, 40].Select(runs => runs.SelectMany(run => Enumerable.Repeat(run.Item1, run.Item2)).Take(Pages).ToArray());

    private readonly TestFolder _folder = new();

    public enum PageKind
    {
        Hole,
        Zero,
        Data,
        LastByte,
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void IsZero_AnyOneByteSet_IsFalse()
    {
        Gen.Int[0, 9000].SelectMany(length => Gen.Select(Gen.Const(length), Gen.Int[-1, length - 1], Gen.Byte[1, 255])).Sample((length, at, value) =>
        {
            var bytes = new byte[length];
            if (at >= 0)
                bytes[at] = value;
            return GuestMemory.IsZero(bytes) == (at < 0);
        });
    }

    [Fact]
    public void DataRanges_AnyRam_AreExactlyThePagesWritten() => _genRam.Sample(kinds =>
    {
        using var memory = Make(kinds);
        var inData = new bool[Pages];
        long last = -1;
        foreach (var range in memory.DataRanges())
        {
            Assert.True(range.Offset > last && range.Length > 0, "ranges ascend and do not touch");
            last = range.End;
            Array.Fill(inData, true, (int)(range.Offset / Page), (int)range.Pages);
        }
        for (var i = 0; i < Pages; i++)
            Assert.Equal(i < kinds.Length && kinds[i] != PageKind.Hole, inData[i]);
    }, iter: 200, threads: 1);

    [Fact]
    public void SplitRuns_AnyRange_CoversItWithAlternatingRunsWithinTheLimit()
    {
        var genRange = Gen.Int[0, Pages - 1].SelectMany(start => Gen.Select(Gen.Const(start), Gen.Int[1, Pages - start]));
        Gen.Select(_genRam, genRange, Gen.Int[1, 20]).Sample((kinds, range, limit) =>
        {
            using var memory = Make(kinds);
            var resident = memory.ResidentBytes;
            var expected = (long)range.Item1 * Page;
            PageRun previous = default;
            foreach (var run in memory.SplitRuns(new PageRange(expected, (long)range.Item2 * Page), limit * Page))
            {
                Assert.Equal(expected, run.Offset);
                Assert.InRange(run.Length, Page, limit * Page);
                for (var page = run.Offset / Page; page < (run.Offset + run.Length) / Page; page++)
                    Assert.Equal(page >= kinds.Length || kinds[page] is PageKind.Hole or PageKind.Zero, run.IsZero);
                if (previous.Length > 0)
                    Assert.True(previous.IsZero != run.IsZero || previous.Length == limit * Page, "a run ends where the kind changes or at the limit");
                previous = run;
                expected += run.Length;
            }
            Assert.Equal((long)(range.Item1 + range.Item2) * Page, expected);
            Assert.Equal(resident, memory.ResidentBytes);
        }, iter: 300, threads: 1);
    }

    [Fact]
    public void SplitRuns_WhileRunning_AllocatesNothing()
    {
        using var memory = Make([PageKind.Data, PageKind.Hole, PageKind.Zero, PageKind.Data]);
        Count(memory);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var runs = Count(memory);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(4, runs);

        static int Count(GuestMemory memory)
        {
            var count = 0;
            foreach (var _ in memory.SplitRuns(new PageRange(0, Pages * Page), Pages * Page))
                count++;
            return count;
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(-4096)]
    public void SplitRuns_LimitNoWholePages_Throws(int limit)
    {
        using var memory = Make([]);
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.SplitRuns(new PageRange(0, Page), limit));
    }

    private GuestMemory Make(PageKind[] kinds)
    {
        File.Delete(_folder["ram"]);
        var memory = GuestMemory.Create(_folder["ram"], Pages * Page);
        for (var i = 0; i < kinds.Length; i++)
        {
            if (kinds[i] != PageKind.Hole)
                memory.GetSpan((long)i * Page, Page).Fill(kinds[i] == PageKind.Data ? (byte)1 : (byte)0);
            if (kinds[i] == PageKind.LastByte)
                memory.GetSpan(((long)i * Page) + Page - 1, 1)[0] = 1;
        }
        return memory;
    }
}
