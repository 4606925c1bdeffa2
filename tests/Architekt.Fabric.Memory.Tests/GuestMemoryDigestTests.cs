using CsCheck;

namespace Architekt.Fabric.Memory.Tests;

public sealed class GuestMemoryDigestTests : IDisposable
{
    private const int Page = GuestMemory.PageSize;
    private const long Size = (5L << 20) + (3 * Page); // two whole blocks and a short one

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ComputeDigest_HoleOrZeroPages_IsTheSame()
    {
        var pages = (int)(Size / Page);
        Gen.Select(Gen.Select(Gen.Int[0, pages - 1], Gen.Byte).Array[0, 30], Gen.Int[0, pages - 1].Array[0, 60], Gen.Bool).Sample((writes, zeros, everywhere) =>
        {
            using var sparse = Make("sparse");
            using var filled = Make("filled");
            foreach (var page in everywhere ? Enumerable.Range(0, pages) : zeros)
                filled.GetSpan((long)page * Page, Page).Clear();
            foreach (var (page, value) in writes)
            {
                sparse.GetSpan(((long)page * Page) + 17, 1)[0] = value;
                filled.GetSpan(((long)page * Page) + 17, 1)[0] = value;
            }
            Assert.Equal(sparse.ComputeDigest(CancellationToken.None), filled.ComputeDigest(CancellationToken.None));
        }, iter: 40, threads: 1);
    }

    [Fact]
    public void ComputeDigest_AnyOneByteChanged_Differs()
    {
        using var memory = Make("ram");
        memory.GetSpan(0, 3 << 20).Fill(5);
        var before = memory.ComputeDigest(CancellationToken.None);
        Gen.Long[0, Size - 1].Sample(offset =>
        {
            memory.GetSpan(offset, 1)[0]++;
            var changed = memory.ComputeDigest(CancellationToken.None);
            memory.GetSpan(offset, 1)[0]--;
            return changed != before;
        }, iter: 60, threads: 1);
        Assert.Equal(before, memory.ComputeDigest(CancellationToken.None));
    }

    [Fact]
    public void ComputeDigest_PagesSwapped_Differs()
    {
        using var one = Make("one");
        using var other = Make("other");
        one.GetSpan(0, 1)[0] = 1;
        one.GetSpan(4 << 20, 1)[0] = 2;
        other.GetSpan(0, 1)[0] = 2;
        other.GetSpan(4 << 20, 1)[0] = 1;
        Assert.NotEqual(one.ComputeDigest(CancellationToken.None), other.ComputeDigest(CancellationToken.None));
    }

    [Fact]
    public void ComputeDigest_AllHoleOfAnotherSize_Differs()
    {
        using var one = GuestMemory.Create(_folder["one"], 2 << 20);
        using var other = GuestMemory.Create(_folder["other"], 4 << 20);
        Assert.NotEqual(one.ComputeDigest(CancellationToken.None), other.ComputeDigest(CancellationToken.None));
    }

    [Fact]
    public void ComputeDigest_SparseRam_AllocatesNoPages()
    {
        using var memory = Make("ram");
        memory.GetSpan(3 * Page, 1)[0] = 1;
        var digest = memory.ComputeDigest(CancellationToken.None);
        Assert.Equal(Page, memory.ResidentBytes);
        Assert.Matches("^[0-9a-f]{32}$", digest);
    }

    [Fact]
    public void ComputeDigest_Cancelled_Throws()
    {
        using var memory = Make("ram");
        Assert.ThrowsAny<OperationCanceledException>(() => memory.ComputeDigest(new CancellationToken(canceled: true)));
    }

    private GuestMemory Make(string name)
    {
        File.Delete(_folder[name]);
        return GuestMemory.Create(_folder[name], Size);
    }
}
