using CsCheck;

namespace Architekt.Fabric.Packages.Tests.Diff;

public sealed class PackageDiffTests : IDisposable
{
    private const int Page = BlockDifference.BlockSize;
    private const int MemorySize = 4 << 20;

    private readonly TempFolder _temp = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task CompareAsync_SamePackage_NothingDiffersAndNothingIsRead()
    {
        var path = Make("redis", file => file.SetLength(MemorySize)).Folder;
        var reports = new List<PackageProgress>();

        var diff = await PackageDiff.CompareAsync(path, path, new Listener(reports.Add), Cancellation);

        Assert.Equal(diff.FirstDigest, diff.SecondDigest);
        Assert.Empty(diff.Fields);
        Assert.Equal(["kernel", "initramfs", "disk", "memory", "state"], diff.Entries.Select(entry => entry.Name));
        Assert.All(diff.Entries, entry => Assert.True(entry.IsEqual));
        Assert.Equal(new BlockDifference(MemorySize / Page, 0, 0), diff.Entries.Single(entry => entry.Name == "memory").Blocks);
        Assert.Empty(reports);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task CompareAsync_FoldersAndArchives_CountTheSamePagesAndBytes(bool firstIsArchive, bool secondIsArchive)
    {
        var first = Make("redis", file =>
        {
            file.SetLength(MemorySize);
            file.Position = 10 * Page;
            file.Write(new byte[3 * Page]);
            file.Position = 20 * Page;
            file.Write([1, 2, 3]);
        });
        var second = Make("redis", file =>
        {
            file.SetLength(MemorySize);
            file.Position = (12 * Page) - 1;
            file.Write([7, 7]);
            file.Position = 20 * Page;
            file.Write([1, 0, 3]);
            file.Position = MemorySize - 1;
            file.Write([9]);
        });

        var diff = await PackageDiff.CompareAsync(
            await PathAsync(first, firstIsArchive), await PathAsync(second, secondIsArchive), null, Cancellation);

        var memory = diff.Entries.Single(entry => entry.Name == "memory");
        Assert.False(memory.IsEqual);
        Assert.Equal(new BlockDifference(MemorySize / Page, 4, 4), memory.Blocks);
        Assert.All(diff.Entries.Where(entry => entry.Name != "memory"), entry => Assert.True(entry.IsEqual));
        Assert.Empty(diff.Fields);
        Assert.NotEqual(diff.FirstDigest, diff.SecondDigest);
    }

    [Fact]
    public async Task CompareAsync_OtherManifest_NamesTheFields()
    {
        var first = new TestBlueprint(_temp);
        var second = new TestBlueprint(_temp);
        second.EditManifest(json =>
        {
            json["vcpus"] = 2;
            json["agentPorts"]!.AsObject().Remove("agent");
            json["labels"] = new System.Text.Json.Nodes.JsonObject { ["team"] = "db" };
        });

        var diff = await PackageDiff.CompareAsync(first.Folder, second.Folder, null, Cancellation);

        Assert.Equal(
            [new("agentPorts.agent", "\"org.architekt.agent\"", null), new("labels.team", null, "\"db\""), new("vcpus", "1", "2")],
            diff.Fields);
    }

    [Fact]
    public async Task CompareAsync_BlueprintAndPackage_SaysWhatIsOnlyInOne()
    {
        var diff = await PackageDiff.CompareAsync(
            new TestBlueprint(_temp).Folder, Make("redis", file => file.SetLength(MemorySize)).Folder, null, Cancellation);

        var memory = diff.Entries.Single(entry => entry.Name == "memory");
        Assert.Null(memory.First);
        Assert.Equal(MemorySize, memory.Second!.Size);
        Assert.Null(memory.Blocks);
        Assert.False(memory.IsEqual);
        Assert.Contains(new FieldDifference("kind", "\"blueprint\"", "\"package\""), diff.Fields);
    }

    [Fact]
    public async Task CompareAsync_DisksOfDifferentSize_CountsTheRestAgainstZeros()
    {
        var first = new TestBlueprint(_temp);
        var second = new TestBlueprint(_temp);
        first.ReplaceEntry("disk", file => file.Write(new byte[3 * Page]));
        second.ReplaceEntry("disk", file =>
        {
            file.SetLength(10 * Page);
            file.Position = 5 * Page;
            file.Write([1, 2]);
        });

        var diff = await PackageDiff.CompareAsync(first.Folder, second.Folder, null, Cancellation);

        Assert.Equal(new BlockDifference(10, 1, 2), diff.Entries.Single(entry => entry.Name == "disk").Blocks);
    }

    [Fact]
    public async Task CompareAsync_HolesOf64GiB_AreSteppedOver()
    {
        const long Size = 64L << 30;
        var digests = new[] { new string('1', 64), new string('2', 64) };
        var folders = digests.Select((digest, index) =>
        {
            var blueprint = new TestBlueprint(_temp);
            using (var disk = File.Create(blueprint.PathOf("disk")))
            {
                disk.SetLength(Size);
                disk.Position = 1L << 35;
                disk.WriteByte((byte)(index + 1));
            }

            // Comparing does not verify, so that this need not be the digest of it.
            blueprint.EditManifest(json => (json["entries"]![2]!["size"], json["entries"]![2]!["sha256"]) = (Size, digest));
            return blueprint.Folder;
        }).ToArray();
        var reports = new List<PackageProgress>();

        var diff = await PackageDiff.CompareAsync(folders[0], folders[1], new Listener(reports.Add), Cancellation);

        Assert.Equal(new BlockDifference(Size / Page, 1, 1), diff.Entries.Single(entry => entry.Name == "disk").Blocks);
        Assert.Equal(3, reports.Count);
        Assert.Equal((Size, Size), (reports[^1].BytesDone, reports[^1].BytesTotal));
    }

    [Fact]
    public void Compare_AnySegments_CountsLikeBytes()
    {
        // Long runs of few values, so that both equal and different blocks come up.
        var segment = Gen.Select(Gen.OneOf(Gen.Int[1, 3 * Page], Gen.Int[1, 4].Select(pages => pages * Page)), Gen.Byte[0, 2], Gen.Bool);
        Gen.Select(segment.Array[0, 8], segment.Array[0, 8]).Sample((first, second) =>
        {
            var (a, b) = (Bytes(first), Bytes(second));
            var length = Math.Max(a.Length, b.Length);
            Array.Resize(ref a, length);
            Array.Resize(ref b, length);
            var differing = Enumerable.Range(0, length).Where(index => a[index] != b[index]).ToList();

            var difference = new ContentComparer(_ => { }).Compare(Segments(first), Segments(second));

            Assert.Equal(
                new BlockDifference((length + Page - 1) / Page, differing.Select(index => index / Page).Distinct().Count(), differing.Count), difference);
        });
    }

    private static byte[] Bytes((int Length, byte Value, bool Hole)[] segments) =>
        [.. segments.SelectMany(segment => Enumerable.Repeat(segment.Value, segment.Length))];

    private static IEnumerable<ContentSegment> Segments((int Length, byte Value, bool Hole)[] segments) =>
        segments.Select(segment => segment is { Value: 0, Hole: true }
            ? new ContentSegment(default, segment.Length)
            : new ContentSegment(Enumerable.Repeat(segment.Value, segment.Length).ToArray(), 0));

    private TestBlueprint Make(string name, Action<FileStream> memory)
    {
        var blueprint = new TestBlueprint(_temp, name);
        blueprint.AddMemory(memory);
        return blueprint;
    }

    private async Task<string> PathAsync(TestBlueprint blueprint, bool isArchive)
    {
        if (!isArchive)
            return blueprint.Folder;
        var store = await PackageStore.OpenAsync(_temp.PathOf(Guid.NewGuid().ToString("N")), null, Cancellation);
        var package = await store.ImportAsync(blueprint.Folder, null, null, Cancellation);
        var path = _temp.PathOf($"{Guid.NewGuid():N}.ark");
        await ArkWriter.WriteAsync(package, path, null, null, Cancellation);
        return path;
    }
}
