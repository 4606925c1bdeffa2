using CsCheck;

namespace Architekt.Fabric.Memory.Tests;

public sealed class MemoryImageTests : IDisposable
{
    private const int Page = GuestMemory.PageSize;
    private const int Pages = 64;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Each step gives some pages a value, 0 among them, and writes just those again.</summary>
    [Fact]
    public void Write_PagesThatChange_EndsAsTheMemoryIs()
    {
        var genStep = Gen.Int[0, Pages - 1].SelectMany(first => Gen.Select(Gen.Const(first), Gen.Int[1, Pages - first], Gen.Byte[0, 2]));
        genStep.Array[1, 12].Sample(
            steps =>
            {
                var name = Guid.NewGuid().ToString("N");
                using var memory = GuestMemory.Create(_folder[name], Pages * Page);
                using var image = MemoryImage.Create(_folder[name + ".image"], Pages * Page);
                foreach (var (first, count, value) in steps)
                {
                    memory.GetSpan(first * Page, count * Page).Fill(value);
                    image.Write(memory, [new PageRange(first * Page, count * Page)], CancellationToken.None);
                }

                using var package = PackageMemory.Open(image.Path);
                using var copy = GuestMemory.Create(_folder[name + ".copy"], Pages * Page);
                copy.FillFrom(package, CancellationToken.None);
                Assert.Equal(memory.ComputeDigest(CancellationToken.None), copy.ComputeDigest(CancellationToken.None));
                var data = Enumerable.Range(0, Pages).Count(page => !GuestMemory.IsZero(memory.GetSpan(page * Page, Page)));
                Assert.Equal(data * Page, image.DataBytes);
                Assert.Equal(data, package.DataPages);
            },
            iter: 100, threads: 1);
    }

    [Fact]
    public void Create_FileExists_IsRefusedAndLeftAlone()
    {
        File.WriteAllText(_folder["image"], "precious");

        Assert.Throws<IOException>(() => MemoryImage.Create(_folder["image"], Page));

        Assert.Equal("precious", File.ReadAllText(_folder["image"]));
    }

    [Fact]
    public void FillFrom_OtherSize_IsRefused()
    {
        using var package = PackageMemory.Open(TestPackage.Create(_folder["package"], 2, (0, 1)));
        using var memory = GuestMemory.Create(_folder["ram"], Page);

        Assert.Equal(MemoryFillError.Mismatch, Assert.Throws<MemoryFillException>(() => memory.FillFrom(package, CancellationToken.None)).Error);
    }
}
