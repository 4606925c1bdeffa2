namespace Architekt.Fabric.Packages.Tests.Store;

public sealed class TagTests : IDisposable
{
    private readonly TempFolder _temp = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _temp.Dispose();

    [Theory]
    [InlineData("redis:1.2")]
    [InlineData("redis:Stable_2")]
    [InlineData("cache.v2")]
    public async Task TagAsync_FurtherName_StandsForTheSamePackage(string name)
    {
        var store = await _temp.OpenStoreAsync();
        var package = await store.ImportAsync(new TestBlueprint(_temp).Folder, null, null, Cancellation);

        var tagged = await store.TagAsync("redis", name, move: false, Cancellation);

        Assert.Equal(new[] { "redis", name }.Order(StringComparer.CurrentCulture), tagged.Names.Order(StringComparer.CurrentCulture));
        Assert.Equal(package.Digest, (await store.GetAsync(name, Cancellation)).Digest);
    }

    [Theory]
    [InlineData("redis:")]
    [InlineData(":1.2")]
    [InlineData("redis:1:2")]
    [InlineData("redis:../2")]
    [InlineData("sha256:abcdef")]
    [InlineData("sha256-abcdef")]
    public async Task TagAsync_NotAName_IsInvalid(string name)
    {
        var store = await _temp.OpenStoreAsync();
        await store.ImportAsync(new TestBlueprint(_temp).Folder, null, null, Cancellation);

        var error = await Assert.ThrowsAsync<PackageException>(() => store.TagAsync("redis", name, move: false, Cancellation));
        Assert.Equal(PackageErrorCode.Invalid, error.Code);
    }

    [Fact]
    public async Task TagAsync_NameOfAnotherPackage_MovesOnlyWhenTold()
    {
        var store = await _temp.OpenStoreAsync();
        var first = await store.ImportAsync(new TestBlueprint(_temp).Folder, "redis:latest", null, Cancellation);
        var second = await store.ImportAsync(new TestBlueprint(_temp, seed: 2).Folder, "redis:2", null, Cancellation);

        var error = await Assert.ThrowsAsync<PackageException>(() => store.TagAsync("redis:2", "redis:latest", move: false, Cancellation));
        Assert.Equal(PackageErrorCode.Exists, error.Code);
        Assert.Equal(first.Digest, (await store.GetAsync("redis:latest", Cancellation)).Digest);

        await store.TagAsync("redis:2", "redis:latest", move: true, Cancellation);
        Assert.Equal(second.Digest, (await store.GetAsync("redis:latest", Cancellation)).Digest);
        Assert.NotNull(await store.FindAsync(first.Digest, Cancellation));
    }

    [Fact]
    public async Task UntagAsync_LastName_LeavesThePackageByDigest()
    {
        var store = await _temp.OpenStoreAsync();
        var package = await store.ImportAsync(new TestBlueprint(_temp).Folder, null, null, Cancellation);

        Assert.Equal(package.Digest, await store.UntagAsync("redis", Cancellation));

        Assert.Null(await store.FindAsync("redis", Cancellation));
        Assert.Empty((await store.GetAsync(package.Digest, Cancellation)).Names);
        var error = await Assert.ThrowsAsync<PackageException>(() => store.UntagAsync("redis", Cancellation));
        Assert.Equal(PackageErrorCode.NotFound, error.Code);
    }
}
