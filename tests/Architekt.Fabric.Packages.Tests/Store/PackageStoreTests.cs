namespace Architekt.Fabric.Packages.Tests.Store;

public sealed class PackageStoreTests : IDisposable
{
    private readonly TempFolder _temp = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task FindAsync_NameDigestAndPrefix_FindTheSame()
    {
        var store = await _temp.OpenStoreAsync();
        var package = await store.ImportAsync(new TestBlueprint(_temp).Folder, null, null, Cancellation);
        var hex = package.Digest["sha256-".Length..];

        foreach (var reference in new[] { "redis", package.Digest, hex, hex[..6], "sha256-" + hex[..10], "sha256:" + hex })
            Assert.Equal(package.Digest, (await store.FindAsync(reference, Cancellation))?.Digest);
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("abcdef123456")]
    public async Task GetAsync_Unknown_IsNotFound(string reference)
    {
        var store = await _temp.OpenStoreAsync();

        Assert.Null(await store.FindAsync(reference, Cancellation));
        var error = await Assert.ThrowsAsync<PackageException>(() => store.GetAsync(reference, Cancellation));
        Assert.Equal(PackageErrorCode.NotFound, error.Code);
    }

    [Theory]
    [InlineData("")]
    [InlineData("../store")]
    [InlineData("sha256-12")]
    [InlineData("sha256-xyz")]
    public async Task FindAsync_NotAReference_IsInvalid(string reference)
    {
        var store = await _temp.OpenStoreAsync();

        var error = await Assert.ThrowsAsync<PackageException>(() => store.FindAsync(reference, Cancellation));
        Assert.Equal(PackageErrorCode.Invalid, error.Code);
    }

    [Fact]
    public async Task FindAsync_AmbiguousPrefix_IsInvalid()
    {
        var store = await _temp.OpenStoreAsync();
        // Two real digests that begin alike cannot be had, so the folders stand in for packages.
        foreach (var last in new[] { '0', '1' })
            Directory.CreateDirectory(Path.Combine(store.Root, "sha256-" + new string('a', 63) + last));

        var error = await Assert.ThrowsAsync<PackageException>(() => store.FindAsync("aaaaaaaa", Cancellation));
        Assert.Equal(PackageErrorCode.Invalid, error.Code);
        Assert.Contains("Several", error.Message);
    }

    [Fact]
    public async Task ListAsync_SeveralPackages_AllWithTheirNames()
    {
        var store = await _temp.OpenStoreAsync();
        var first = await store.ImportAsync(new TestBlueprint(_temp).Folder, null, null, Cancellation);
        await store.ImportAsync(new TestBlueprint(_temp).Folder, "cache", null, Cancellation);
        var second = await store.ImportAsync(new TestBlueprint(_temp, "nginx", seed: 2).Folder, null, null, Cancellation);

        var list = await store.ListAsync(Cancellation);

        Assert.Equal(new[] { first.Digest, second.Digest }.Order(), list.Select(package => package.Digest));
        Assert.Equal(["cache", "redis"], list.Single(package => package.Digest == first.Digest).Names);
    }

    [Fact]
    public async Task ListAsync_DamagedManifest_IsLeftOut()
    {
        var store = await _temp.OpenStoreAsync();
        var good = await store.ImportAsync(new TestBlueprint(_temp).Folder, null, null, Cancellation);
        var bad = await store.ImportAsync(new TestBlueprint(_temp, "nginx", seed: 2).Folder, null, null, Cancellation);
        var path = Path.Combine(bad.Folder, PackageManifest.FileName);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.AppendAllText(path, " ");

        Assert.Equal([good.Digest], (await store.ListAsync(Cancellation)).Select(package => package.Digest));
        var error = await Assert.ThrowsAsync<PackageException>(() => store.FindAsync("nginx", Cancellation));
        Assert.Equal(PackageErrorCode.DigestMismatch, error.Code);
    }

    [Fact]
    public async Task DeleteAsync_OneOfTwoNames_KeepsThePackage()
    {
        var store = await _temp.OpenStoreAsync();
        var blueprint = new TestBlueprint(_temp);
        var package = await store.ImportAsync(blueprint.Folder, null, null, Cancellation);
        await store.ImportAsync(blueprint.Folder, "cache", null, Cancellation);

        await store.DeleteAsync("cache", null, Cancellation);

        Assert.Equal(["redis"], (await store.GetAsync(package.Digest, Cancellation)).Names);
        Assert.Null(await store.FindAsync("cache", Cancellation));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task DeleteAsync_LastNameOrDigest_RemovesEverything(bool byName)
    {
        var store = await _temp.OpenStoreAsync();
        var package = await store.ImportAsync(new TestBlueprint(_temp).Folder, null, null, Cancellation);

        await store.DeleteAsync(byName ? "redis" : package.Digest, null, Cancellation);

        Assert.Empty(await store.ListAsync(Cancellation));
        Assert.False(Directory.Exists(package.Folder));
        Assert.Empty(_temp.Leftovers());
        var error = await Assert.ThrowsAsync<PackageException>(() => store.DeleteAsync("redis", null, Cancellation));
        Assert.Equal(PackageErrorCode.NotFound, error.Code);
    }

    [Fact]
    public async Task PathOf_EntryThatIsNotThere_IsNotFound()
    {
        var store = await _temp.OpenStoreAsync();
        var package = await store.ImportAsync(new TestBlueprint(_temp).Folder, null, null, Cancellation);

        Assert.Equal(Path.Combine(package.Folder, "kernel"), package.PathOf("kernel"));
        Assert.Equal(PackageErrorCode.NotFound, Assert.Throws<PackageException>(() => package.PathOf("memory")).Code);
    }

    [Fact]
    public async Task VerifyAsync_FileChangedAfterwards_IsADigestMismatch()
    {
        var store = await _temp.OpenStoreAsync();
        var package = await store.ImportAsync(new TestBlueprint(_temp).Folder, null, null, Cancellation);
        await PackageStore.VerifyAsync(package, null, Cancellation);

        var path = package.PathOf("disk");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using (var file = File.OpenWrite(path))
            file.WriteByte(0);

        var error = await Assert.ThrowsAsync<PackageException>(() => PackageStore.VerifyAsync(package, null, Cancellation));
        Assert.Equal(PackageErrorCode.DigestMismatch, error.Code);
    }
}
