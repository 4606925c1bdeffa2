using CsCheck;

namespace Architekt.Fabric.Packages.Tests.Archive;

public sealed class ArkRoundTripTests : IDisposable
{
    private const long MostTreeBytes = 32 << 10;
    private readonly TempFolder _temp = new();
    private readonly TempFolder _other = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string ArkPath => _temp.PathOf("redis.ark");

    public void Dispose()
    {
        _temp.Dispose();
        _other.Dispose();
    }

    [Fact]
    public async Task ImportAsync_ExportedPackage_IsTheSameByteForByteWithItsHoles()
    {
        var blueprint = new TestBlueprint(_temp);
        blueprint.AddMemory(Content.Sparse(64 << 20, 300, 1));
        var package = await ImportAsync(_temp, blueprint.Folder);
        var reports = new List<PackageProgress>();

        var info = await ArkWriter.WriteAsync(package, ArkPath, null, new Listener(reports.Add), Cancellation);
        var copy = await ImportAsync(_other, ArkPath);

        Assert.Equal((package.Digest, package.Digest), (info.Digest, copy.Digest));
        Assert.Equal(["redis"], copy.Names);
        foreach (var file in new[] { "manifest.json", "kernel", "initramfs", "disk", "memory", "state" })
        {
            var path = Path.Combine(copy.Folder, file);
            Assert.Equal(File.ReadAllBytes(Path.Combine(package.Folder, file)), File.ReadAllBytes(path));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead, File.GetUnixFileMode(path));
        }

        Assert.Equal(TestBlueprint.AllocatedBytes(package.PathOf("memory")), TestBlueprint.AllocatedBytes(copy.PathOf("memory")));
        Assert.InRange(TestBlueprint.AllocatedBytes(copy.PathOf("memory")), 1, 301 * Content.Page);
        Assert.Equal(reports[^1].BytesTotal, reports[^1].BytesDone);
        Assert.Equal(package.Manifest.Entries.Sum(entry => entry.Size), reports[^1].BytesTotal);
        Assert.Equal(reports.Select(report => report.BytesDone).Order(), reports.Select(report => report.BytesDone));
    }

    [Fact]
    public async Task ImportAsync_AnySparseContent_ComesBackTheSame()
    {
        // Runs of zeros, noise and text of any length, at the bounds of pages or beside them, stored or as holes.
        var run = Gen.Select(
            Gen.Int[0, 2],
            Gen.OneOf(Gen.Int[1, 5000], Gen.Int[1, 300_000], Gen.Int[1, 300].Select(pages => pages * Content.Page), Gen.Int[1, 3].Select(mebibytes => mebibytes << 20)),
            Gen.Bool,
            Gen.Int[0, 1000]);
        var round = 0;
        await run.Array[1, 12].SampleAsync(
            async runs =>
            {
                var number = Interlocked.Increment(ref round);
                var blueprint = new TestBlueprint(_temp, $"redis-{number}");
                blueprint.ReplaceEntry("disk", file => WriteRuns(file, runs));
                var package = await ImportAsync(_temp, blueprint.Folder);
                var path = _temp.PathOf($"{number}.ark");

                await ArkWriter.WriteAsync(package, path, null, null, Cancellation);
                var copy = await ImportAsync(_other, path);

                Assert.Equal(File.ReadAllBytes(blueprint.PathOf("disk")), File.ReadAllBytes(copy.PathOf("disk")));

                // Not exactly: file systems count the blocks of their own extent trees, too, which depend on how a file was written.
                var difference = TestBlueprint.AllocatedBytes(package.PathOf("disk")) - TestBlueprint.AllocatedBytes(copy.PathOf("disk"));
                Assert.InRange(difference, -MostTreeBytes, MostTreeBytes);
            },
            iter: 40);
    }

    [Fact]
    public async Task WriteAsync_MostlyZeroMemory_IsAsLargeAsItsOtherPages()
    {
        const int Pages = 1000;
        var blueprint = new TestBlueprint(_temp);
        blueprint.AddMemory(Content.Sparse(256 << 20, Pages, 1));
        var package = await ImportAsync(_temp, blueprint.Folder);

        var info = await ArkWriter.WriteAsync(package, ArkPath, null, null, Cancellation);

        // Noise, which cannot be compressed: not less than the pages, and not much more. A few of the pages are the same one.
        var memory = info.Members.Single(member => member.Entry.Name == "memory");
        Assert.Equal(256 << 20, memory.Entry.Size);
        Assert.InRange(memory.StoredSize, Pages * Content.Page * 0.95, Pages * Content.Page * 1.02);
        Assert.Equal(new FileInfo(ArkPath).Length, info.FileSize);
    }

    private static async Task<StoredPackage> ImportAsync(TempFolder temp, string path) =>
        await (await temp.OpenStoreAsync()).ImportAsync(path, null, null, Cancellation);

    private static void WriteRuns(FileStream file, (int Kind, int Length, bool Hole, int Seed)[] runs)
    {
        foreach (var (kind, length, hole, seed) in runs)
        {
            var content = new byte[length];
            if (kind == 1)
                new Random(seed).NextBytes(content);
            else if (kind == 2)
                Array.Fill(content, (byte)(1 + (seed % 255)));
            else if (hole)
                file.SetLength(file.Length + length);
            if (kind != 0 || !hole)
                file.Write(content);
            file.Position = file.Length;
        }

        file.SetLength((file.Length + 511) / 512 * 512);
    }
}
