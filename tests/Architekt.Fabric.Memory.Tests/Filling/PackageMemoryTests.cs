namespace Architekt.Fabric.Memory.Tests;

public sealed class PackageMemoryTests : IDisposable
{
    private const int Page = GuestMemory.PageSize;
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_SparseFile_FindsItsData()
    {
        using var package = PackageMemory.Open(TestPackage.Create(_folder["package"], 1000, (0, 1), (17, 3), (999, 1)));

        Assert.Equal((1000 * Page, 5), (package.Length, package.DataPages));
        Assert.Equal([new PageRange(0, Page), new PageRange(17 * Page, 3 * Page), new PageRange(999 * Page, Page)], package.Data);
    }

    [Fact]
    public void Open_OnAnOrdinaryDisk_FindsItsDataToo()
    {
        var path = Path.Combine(AppContext.BaseDirectory, $"package-{Guid.NewGuid():N}");
        try
        {
            using var package = PackageMemory.Open(TestPackage.Create(path, 4096, (300, 20)));
            Assert.InRange(package.DataPages, 20, 4096);
            Assert.Empty(package.Data.Clone().Except([new PageRange(300 * Page, 20 * Page), new PageRange(0, 4096 * Page)]));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4097)]
    public void Open_NoWholePages_Throws(int bytes)
    {
        File.WriteAllBytes(_folder["package"], new byte[bytes]);
        Assert.Equal(MemoryFillError.Mismatch, Assert.Throws<MemoryFillException>(() => PackageMemory.Open(_folder["package"])).Error);
    }

    [Fact]
    public void Open_NotThere_Throws()
    {
        var failure = Assert.Throws<MemoryFillException>(() => PackageMemory.Open(_folder["absent"]));
        Assert.Equal(MemoryFillError.PackageUnreadable, failure.Error);
        Assert.Contains(_folder["absent"], failure.Message, StringComparison.Ordinal);
    }
}
