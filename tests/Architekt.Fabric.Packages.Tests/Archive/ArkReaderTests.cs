namespace Architekt.Fabric.Packages.Tests.Archive;

public sealed class ArkReaderTests : IDisposable
{
    private readonly TempFolder _temp = new();
    private readonly TestBlueprint _blueprint;

    public ArkReaderTests() => _blueprint = new TestBlueprint(_temp);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string ArkPath => _temp.PathOf("redis.ark");

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task InspectAsync_Archive_TellsEveryFieldAndSize()
    {
        var written = await ExportAsync();

        var info = await ArkReader.InspectAsync(ArkPath, Cancellation);

        Assert.Equal(ArkPath, info.Path);
        Assert.Equal(new FileInfo(ArkPath).Length, info.FileSize);
        Assert.Equal(PackageManifest.DigestOf(File.ReadAllBytes(_blueprint.ManifestPath)), info.Digest);
        Assert.Equal(File.ReadAllBytes(_blueprint.ManifestPath), info.Manifest.ToUtf8());
        Assert.Equal(["kernel.zst", "initramfs.zst", "disk.zst"], info.Members.Select(member => member.Name));
        Assert.Equal(info.Manifest.Entries, info.Members.Select(member => member.Entry));
        // Noise, which cannot be compressed.
        Assert.All(info.Members, member => Assert.InRange(member.StoredSize, member.Entry.Size, member.Entry.Size + 100));
        Assert.Equal(written.Members, info.Members);
    }

    [Fact]
    public async Task InspectAsync_DamagedBody_IsNotRead()
    {
        await ExportAsync();
        DamageBodyOf("disk");

        Assert.Equal("redis", (await ArkReader.InspectAsync(ArkPath, Cancellation)).Manifest.Name);
        await Assert.ThrowsAsync<PackageException>(() => ArkReader.VerifyAsync(ArkPath, null, Cancellation));
    }

    [Fact]
    public async Task InspectAsync_NoFile_IsNotFound()
    {
        foreach (var path in new[] { ArkPath, _temp.Path })
        {
            var error = await Assert.ThrowsAsync<PackageException>(() => ArkReader.InspectAsync(path, Cancellation));
            Assert.Equal(PackageErrorCode.NotFound, error.Code);
        }
    }

    [Fact]
    public async Task VerifyAsync_GoodArchive_ReadsAllOfIt()
    {
        await ExportAsync();
        var reports = new List<PackageProgress>();

        var info = await ArkReader.VerifyAsync(ArkPath, new Listener(reports.Add), Cancellation);

        Assert.Equal(info.Manifest.Entries.Sum(entry => entry.Size), reports[^1].BytesDone);
        Assert.Equal(["kernel", "initramfs", "disk"], reports.Select(report => report.Entry).Distinct());
    }

    [Fact]
    public async Task VerifyAsync_Cancelled_Stops()
    {
        await ExportAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ArkReader.VerifyAsync(ArkPath, new Listener(_ => stop.Cancel()), stop.Token));
    }

    private async Task<ArkInfo> ExportAsync()
    {
        var package = await (await _temp.OpenStoreAsync()).ImportAsync(_blueprint.Folder, null, null, Cancellation);
        return await ArkWriter.WriteAsync(package, ArkPath, null, null, Cancellation);
    }

    private void DamageBodyOf(string entry)
    {
        using var source = ArkSource.Open(ArkPath);
        using var file = File.OpenWrite(ArkPath);
        file.Position = source.Index.Bodies[entry].Offset + 1000;
        file.Write([1, 2, 3, 4]);
    }
}
