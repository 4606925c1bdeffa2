using CsCheck;

namespace Architekt.Fabric.Memory.Tests;

public sealed class PageRangesTests
{
    private const long Page = GuestMemory.PageSize;

    [Theory]
    [InlineData(0, "0-1 1-2 4-5", "0-2 4-5")]
    [InlineData(1, "0-1 2-3 5-6", "0-3 5-6")]
    [InlineData(2, "0-1 2-3 5-6", "0-6")]
    [InlineData(9, "3-4", "3-4")]
    [InlineData(9, "", "")]
    public void Join_Gap_JoinsWhatIsNear(int gap, string ranges, string expected)
    {
        var list = Parse(ranges);

        PageRanges.Join(list, gap * Page);

        Assert.Equal(Parse(expected), list);
    }

    [Fact]
    public void Join_Any_CoversWhatItCoveredAndNoGapIsLeftThatCouldBeJoined() =>
        Gen.Select(Gen.Int[0, 5].Array[0, 40], Gen.Int[0, 4]).Sample((steps, gap) =>
        {
            var list = new List<PageRange>();
            var at = 0L;
            foreach (var step in steps)
            {
                list.Add(new PageRange((at + step) * Page, Page));
                at += step + 1;
            }

            var before = list.Select(range => range.Offset).ToList();
            PageRanges.Join(list, gap * Page);

            Assert.All(before, offset => Assert.Contains(list, range => range.Offset <= offset && offset < range.End));
            Assert.All(list.Zip(list.Skip(1)), pair => Assert.True(pair.Second.Offset - pair.First.End > gap * Page));
        });

    private static List<PageRange> Parse(string ranges) =>
        [.. ranges.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(text => text.Split('-')).Select(ends =>
            new PageRange(long.Parse(ends[0]) * Page, (long.Parse(ends[1]) - long.Parse(ends[0])) * Page))];
}
