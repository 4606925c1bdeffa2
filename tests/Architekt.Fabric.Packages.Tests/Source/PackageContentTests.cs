namespace Architekt.Fabric.Packages.Tests.Source;

public sealed class PackageContentTests : IDisposable
{
    private readonly TempFolder _temp = new();
    private readonly TestBlueprint _blueprint;

    public PackageContentTests() => _blueprint = new TestBlueprint(_temp);

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task ReadAsync_GoodEntry_GivesAllOfItInOrder()
    {
        using var content = PackageContent.Open(_blueprint.Folder);

        Assert.Equal(File.ReadAllBytes(_blueprint.PathOf("disk")), await ReadAsync(content, "disk"));
    }

    [Fact]
    public async Task ReadAsync_DamagedEntry_IsADigestMismatchAtItsEnd()
    {
        var disk = File.ReadAllBytes(_blueprint.PathOf("disk"));
        disk[^1] ^= 1;
        File.WriteAllBytes(_blueprint.PathOf("disk"), disk);
        using var content = PackageContent.Open(_blueprint.Folder);

        var error = await Assert.ThrowsAsync<PackageException>(() => ReadAsync(content, "disk"));

        Assert.Equal(PackageErrorCode.DigestMismatch, error.Code);
        Assert.Contains("'disk'", error.Message);
    }

    private static async Task<byte[]> ReadAsync(PackageContent content, string entryName)
    {
        var entry = content.Manifest.Entries.Single(entry => entry.Name == entryName);
        var read = new byte[entry.Size];
        await content.ReadAsync(
            entry,
            (range, data) =>
            {
                data.Span.CopyTo(read.AsSpan((int)range.Offset));
                return ValueTask.CompletedTask;
            },
            TestContext.Current.CancellationToken);
        return read;
    }
}
