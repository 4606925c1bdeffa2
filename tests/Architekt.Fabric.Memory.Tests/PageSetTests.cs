using CsCheck;

namespace Architekt.Fabric.Memory.Tests;

public sealed class PageSetTests : IDisposable
{
    private const int Page = GuestMemory.PageSize;
    private readonly TestFolder _folder = new();

    private static readonly Gen<(int Pages, (int First, int Count, bool Add)[] Changes)> _genChanges = Gen.Int[1, 400].SelectMany(pages =>
        Gen.Select(Gen.Int[0, pages], Gen.Int[0, pages], Gen.Bool, (a, b, add) => (Math.Min(a, b), Math.Abs(a - b), add)).Array[0, 12].Select(changes => (pages, changes)));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Changes_Any_AreThoseOfAnArrayOfFlags() => _genChanges.Sample(run =>
    {
        var (set, flags) = Build(run.Pages, run.Changes);

        Assert.Equal(flags.Count(flag => flag), set.Pages);
        Assert.Equal(!flags.Contains(true), set.IsEmpty);
        for (var page = 0; page < run.Pages; page++)
            Assert.Equal(flags[page], set.Contains((page * (long)Page) + (page % Page)));
        AssertRuns(set, flags);
    });

    [Fact]
    public void Sets_Combined_AreCombinedFlagByFlag() => Gen.Select(_genChanges, _genChanges).Sample((left, right) =>
    {
        var (first, firstFlags) = Build(left.Pages, left.Changes);
        var (second, secondFlags) = Build(left.Pages, [.. right.Changes.Where(change => change.First + change.Count <= left.Pages)]);
        var (union, difference) = (first.Clone(), first.Clone());

        union.UnionWith(second);
        difference.ExceptWith(second);

        AssertRuns(union, [.. firstFlags.Zip(secondFlags, (a, b) => a || b)]);
        AssertRuns(difference, [.. firstFlags.Zip(secondFlags, (a, b) => a && !b)]);
        AssertRuns(first, firstFlags);
    });

    [Fact]
    public void Bytes_ReadAgain_AreTheSameSet() => _genChanges.Sample(run =>
    {
        var (set, flags) = Build(run.Pages, run.Changes);
        AssertRuns(PageSet.FromBytes(set.ToBytes("sha256-ab"), "sha256-ab"), flags);
    });

    [Fact]
    public void FromBytes_DamagedAnywhere_Throws()
    {
        var set = new PageSet(100 * Page);
        set.Add(new PageRange(3 * Page, 9 * Page));
        var bytes = set.ToBytes("base");
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= 16;
            Assert.Throws<InvalidDataException>(() => PageSet.FromBytes(bytes, "base"));
            bytes[i] ^= 16;
            Assert.Throws<InvalidDataException>(() => PageSet.FromBytes(bytes.AsSpan(0, i), "base"));
        }
        Assert.Throws<InvalidDataException>(() => PageSet.FromBytes([.. bytes, 0], "base"));
        Assert.Equal(9, PageSet.FromBytes(bytes, "base").Pages);
    }

    [Fact]
    public void FromBytes_OtherBaseOrVersion_SaysSo()
    {
        var bytes = new PageSet(Page).ToBytes("one");
        Assert.Contains("'one' and not 'another'", Assert.Throws<InvalidDataException>(() => PageSet.FromBytes(bytes, "another")).Message, StringComparison.Ordinal);
        bytes[8] = 2;
        Assert.Contains("version 2", Assert.Throws<InvalidDataException>(() => PageSet.FromBytes(bytes, "one")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromBytes_PagesBehindTheEnd_Throws()
    {
        // 65 pages need two words, of which the second has one bit.
        var set = new PageSet(65 * Page);
        var bytes = set.ToBytes("base");
        bytes[^17] = 0x80;
        System.IO.Hashing.XxHash128.Hash(bytes.AsSpan(..^16), bytes.AsSpan(^16..));
        Assert.Contains("behind the end", Assert.Throws<InvalidDataException>(() => PageSet.FromBytes(bytes, "base")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Save_FileThere_IsReplacedAndNothingElseIsLeft()
    {
        File.WriteAllText(_folder["set"], "old");
        var set = new PageSet(1L << 32);
        set.AddAll();
        set.Remove(new PageRange(1L << 31, Page));

        set.Save(_folder["set"], "base");

        Assert.Equal(set, PageSet.Load(_folder["set"], "base"));
        Assert.Equal([_folder["set"]], Directory.GetFiles(_folder.Path));
        Assert.Contains(_folder["set"], Assert.Throws<InvalidDataException>(() => PageSet.Load(_folder["set"], "other")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Add_NotWithinTheRam_Throws()
    {
        var set = new PageSet(10 * Page);
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Add(new PageRange(9 * Page, 2 * Page)));
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Add(new PageRange(1, Page)));
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Contains(10 * Page));
        Assert.Throws<ArgumentException>(() => set.UnionWith(new PageSet(11 * Page)));
        Assert.True(set.IsEmpty);
    }

    private static (PageSet Set, bool[] Flags) Build(int pages, (int First, int Count, bool Add)[] changes)
    {
        var (set, flags) = (new PageSet((long)pages * Page), new bool[pages]);
        foreach (var (first, count, add) in changes)
        {
            var range = new PageRange((long)first * Page, (long)count * Page);
            if (add)
                set.Add(range);
            else
                set.Remove(range);
            flags.AsSpan(first, count).Fill(add);
        }
        return (set, flags);
    }

    private static void AssertRuns(PageSet set, bool[] flags)
    {
        var ranges = set.ToArray();
        Assert.Equal(Enumerable.Range(0, flags.Length).Where(page => flags[page]), ranges.SelectMany(range => Enumerable.Range((int)(range.Offset / Page), (int)range.Pages)));
        Assert.All(ranges.Zip(ranges.Skip(1)), pair => Assert.True(pair.First.End < pair.Second.Offset, "runs do not touch"));
    }
}
