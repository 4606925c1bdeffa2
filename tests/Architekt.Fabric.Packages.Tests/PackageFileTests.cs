namespace Architekt.Fabric.Packages.Tests;

public sealed class PackageFileTests : IDisposable
{
    private readonly TempFolder _temp = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task InspectAsync_FolderWithHoles_CountsWhatIsStored()
    {
        var blueprint = new TestBlueprint(_temp);
        blueprint.ReplaceEntry("disk", file =>
        {
            file.SetLength(8 << 20);
            file.Position = 4 << 20;
            file.Write(new byte[] { 1 });
        });

        var info = await PackageFile.InspectAsync(blueprint.Folder, Cancellation);

        Assert.False(info.IsArchive);
        var disk = info.Entries.Single(entry => entry.Entry.Name == "disk");
        Assert.Equal(8 << 20, disk.Entry.Size);
        Assert.InRange(disk.StoredSize, 1, 1 << 20);
        Assert.Equal(info.Entries.Sum(entry => entry.StoredSize), info.StoredSize);
    }

    [Fact]
    public async Task VerifyAsync_FolderWithADamagedEntry_IsADigestMismatch()
    {
        var blueprint = new TestBlueprint(_temp);
        await PackageFile.VerifyAsync(blueprint.Folder, null, Cancellation);
        var content = File.ReadAllBytes(blueprint.PathOf("disk"));
        content[^1] ^= 1;
        File.WriteAllBytes(blueprint.PathOf("disk"), content);

        var error = await Assert.ThrowsAsync<PackageException>(() => PackageFile.VerifyAsync(blueprint.Folder, null, Cancellation));
        Assert.Equal(PackageErrorCode.DigestMismatch, error.Code);
    }
}
