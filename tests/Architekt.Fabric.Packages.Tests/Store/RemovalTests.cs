using System.Diagnostics;

namespace Architekt.Fabric.Packages.Tests.Store;

public sealed class RemovalTests : IDisposable
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;
    private readonly TempFolder _temp = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task DeleteAsync_WhileLeased_IsRefusedAndLeavesAll()
    {
        var store = await _temp.OpenStoreAsync();
        await store.ImportAsync(new TestBlueprint(_temp).Folder, null, null, Cancellation);
        await store.TagAsync("redis", "redis:1", move: false, Cancellation);
        var first = await store.TryUseAsync("redis", Cancellation);
        var second = await store.TryUseAsync("redis:1", Cancellation);

        first!.Dispose();
        await AssertInUseAsync(store, second!.Package.Digest);
        Assert.Equal(["redis", "redis:1"], (await store.GetAsync("redis", Cancellation)).Names);

        second.Dispose();
        await store.DeleteAsync(second.Package.Digest, null, Cancellation);
        Assert.Empty(_temp.StoreContents());
    }

    [Fact]
    public async Task DeleteAsync_UserOfALeaseWasKilled_Succeeds()
    {
        Tool.SkipWithout("flock");
        var store = await _temp.OpenStoreAsync();
        var package = await store.ImportAsync(new TestBlueprint(_temp).Folder, null, null, Cancellation);
        (await store.TryUseAsync("redis", Cancellation))!.Dispose();
        using var user = Process.Start(new ProcessStartInfo("flock", ["--shared", "--no-fork", Path.Combine(store.Root, $".{package.Digest}.lock"), "sh", "-c", "echo locked; exec sleep 600"])
        {
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("locked", await user.StandardOutput.ReadLineAsync(Cancellation));
        await AssertInUseAsync(store, "redis");

        user.Kill();
        await user.WaitForExitAsync(Cancellation);

        await store.DeleteAsync("redis", null, Cancellation);
        Assert.Empty(await store.ListAsync(Cancellation));
    }

    [Fact]
    public async Task DeleteAsync_LastNameOfAUsedPackage_IsRefused()
    {
        var store = await _temp.OpenStoreAsync();
        var package = await store.ImportAsync(new TestBlueprint(_temp).Folder, null, null, Cancellation);
        await store.TagAsync("redis", "redis:1", move: false, Cancellation);

        await store.DeleteAsync("redis:1", Users(package.Digest), Cancellation);
        var error = await Assert.ThrowsAsync<PackageException>(() => store.DeleteAsync("redis", Users(package.Digest), Cancellation));

        Assert.Equal(PackageErrorCode.InUse, error.Code);
        Assert.Equal(["redis"], (await store.GetAsync(package.Digest, Cancellation)).Names);
    }

    [Fact]
    public async Task GarbageCollectAsync_RemovesOnlyWhatHasNeitherNameNorUser()
    {
        var store = await _temp.OpenStoreAsync();
        var named = await store.ImportAsync(new TestBlueprint(_temp, "named", seed: 1).Folder, null, null, Cancellation);
        var used = await NamelessAsync(store, 2);
        var leased = await NamelessAsync(store, 3);
        var garbage = await NamelessAsync(store, 4);
        using var lease = await store.TryUseAsync(leased.Digest, Cancellation);

        var cleaning = await store.GarbageCollectAsync(Users(used.Digest), Now, Cancellation);

        Assert.Equal([garbage.Digest], cleaning.Packages);
        Assert.InRange(cleaning.Bytes, 64 * 1024, 128 * 1024);
        Assert.Equal(
            new[] { named.Digest, used.Digest, leased.Digest }.Order(StringComparer.Ordinal), (await store.ListAsync(Cancellation)).Select(package => package.Digest));
        Assert.False(Directory.Exists(garbage.Folder));
    }

    [Fact]
    public async Task GarbageCollectAsync_UsersCannotBeToldOf_RemovesNothing()
    {
        var store = await _temp.OpenStoreAsync();
        var garbage = await NamelessAsync(store, 1);

        await Assert.ThrowsAsync<TimeoutException>(() => store.GarbageCollectAsync(_ => throw new TimeoutException(), Now, Cancellation));

        Assert.NotNull(await store.FindAsync(garbage.Digest, Cancellation));
    }

    private static PackageUsers Users(string digest) => _ => Task.FromResult<IReadOnlySet<string>>(new HashSet<string> { digest });

    private static async Task AssertInUseAsync(PackageStore store, string reference)
    {
        var error = await Assert.ThrowsAsync<PackageException>(() => store.DeleteAsync(reference, null, Cancellation));
        Assert.Equal(PackageErrorCode.InUse, error.Code);
    }

    private async Task<StoredPackage> NamelessAsync(PackageStore store, int seed)
    {
        var package = await store.ImportAsync(new TestBlueprint(_temp, $"nameless-{seed}", seed).Folder, null, null, Cancellation);
        await store.UntagAsync($"nameless-{seed}", Cancellation);
        return package;
    }
}
