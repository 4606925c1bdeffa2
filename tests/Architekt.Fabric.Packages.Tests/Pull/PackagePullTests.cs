namespace Architekt.Fabric.Packages.Tests.Pull;

public sealed class PackagePullTests : IDisposable
{
    private const int Half = 32 * 1024;
    private readonly TempFolder _temp = new();
    private readonly TestBlueprint _blueprint;
    private readonly byte[] _manifest;
    private readonly string _digest;

    public PackagePullTests()
    {
        _blueprint = new TestBlueprint(_temp);
        _manifest = File.ReadAllBytes(_blueprint.ManifestPath);
        _digest = PackageManifest.DigestOf(_manifest);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task CommitAsync_Everything_IsAPackageWithItsFreeNames()
    {
        var store = await _temp.OpenStoreAsync();
        await store.ImportAsync(new TestBlueprint(_temp, seed: 2).Folder, "taken", null, Cancellation);
        using (var pull = await store.BeginPullAsync(_manifest, _digest, Cancellation))
        {
            CopyAll(pull);
            var package = await pull.CommitAsync(["redis:1", "taken"], null, Cancellation);
            Assert.Equal(["redis:1"], package.Names);
        }

        await PackageStore.VerifyAsync(await store.GetAsync("redis:1", Cancellation), null, Cancellation);
        Assert.Empty(Pulls());
    }

    [Fact]
    public async Task BeginPullAsync_AfterAnAttemptThatEnded_MissesOnlyTheRest()
    {
        var store = await _temp.OpenStoreAsync();
        using (var pull = await store.BeginPullAsync(_manifest, _digest, Cancellation))
            Copy(pull, "disk", 0, Half);

        // Another process, with a store of its own.
        var later = await _temp.OpenStoreAsync();
        using var second = await later.BeginPullAsync(_manifest, _digest, Cancellation);
        Assert.Equal([new PackageRange(Half, Half)], second.Missing("disk"));
        Assert.Equal(Half, second.BytesDone);
        Assert.Null(await later.FindAsync(_digest, Cancellation));

        Copy(second, "disk", Half, Half);
        Copy(second, "kernel", 0, 5000);
        Copy(second, "initramfs", 0, 3000);
        await second.CommitAsync([], null, Cancellation);
        await PackageStore.VerifyAsync(await later.GetAsync(_digest, Cancellation), null, Cancellation);
    }

    [Fact]
    public async Task BeginPullAsync_AnotherPackageWasBegun_TakesNothingOfThat()
    {
        var store = await _temp.OpenStoreAsync();
        using (var pull = await store.BeginPullAsync(_manifest, _digest, Cancellation))
            Copy(pull, "disk", 0, Half);
        var other = new TestBlueprint(_temp, seed: 2);
        var manifest = File.ReadAllBytes(other.ManifestPath);

        using (var second = await store.BeginPullAsync(manifest, PackageManifest.DigestOf(manifest), Cancellation))
        {
            Assert.Equal([new PackageRange(0, 2 * Half)], second.Missing("disk"));
            Assert.Equal(0, second.BytesDone);
        }

        using var again = await store.BeginPullAsync(_manifest, _digest, Cancellation);
        Assert.Equal([new PackageRange(Half, Half)], again.Missing("disk"));
    }

    [Fact]
    public async Task BeginPullAsync_ManifestOfTheAttemptBeforeIsDamaged_IsWrittenAnew()
    {
        var store = await _temp.OpenStoreAsync();
        using (var pull = await store.BeginPullAsync(_manifest, _digest, Cancellation))
            Copy(pull, "disk", 0, Half);
        var path = Path.Combine(Pulls().Single(Directory.Exists), PackageManifest.FileName);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllBytes(path, _manifest[..^1]);

        using var second = await store.BeginPullAsync(_manifest, _digest, Cancellation);
        CopyAll(second);
        await second.CommitAsync([], null, Cancellation);

        await PackageStore.VerifyAsync(await store.GetAsync(_digest, Cancellation), null, Cancellation);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(24 + 13)]
    public async Task BeginPullAsync_JournalCutOff_BelievesTheWholeRecordsOnly(int length)
    {
        var store = await _temp.OpenStoreAsync();
        using (var pull = await store.BeginPullAsync(_manifest, _digest, Cancellation))
        {
            Copy(pull, "kernel", 0, 5000);
            Copy(pull, "disk", 0, Half);
        }

        using (var journal = File.OpenWrite(Path.Combine(Pulls().Single(Directory.Exists), "journal")))
            journal.SetLength(length);

        using var second = await store.BeginPullAsync(_manifest, _digest, Cancellation);
        Assert.Equal(length < 24 ? 0 : 5000, second.BytesDone);
    }

    [Fact]
    public async Task CommitAsync_WrongContent_RemovesEverything()
    {
        var store = await _temp.OpenStoreAsync();
        using (var pull = await store.BeginPullAsync(_manifest, _digest, Cancellation))
        {
            CopyAll(pull);
            pull.Write("disk", 100, [1, 2, 3]);
            var error = await Assert.ThrowsAsync<PackageException>(() => pull.CommitAsync(["redis"], null, Cancellation));
            Assert.Equal(PackageErrorCode.DigestMismatch, error.Code);
            Assert.Contains("'disk'", error.Message);
        }

        Assert.Empty(_temp.StoreContents());
    }

    [Fact]
    public async Task CommitAsync_SomethingMissing_IsRefusedAndStays()
    {
        var store = await _temp.OpenStoreAsync();
        using var pull = await store.BeginPullAsync(_manifest, _digest, Cancellation);
        Copy(pull, "disk", 0, Half);

        var error = await Assert.ThrowsAsync<PackageException>(() => pull.CommitAsync([], null, Cancellation));

        Assert.Equal(PackageErrorCode.Invalid, error.Code);
        Assert.Equal(Half, pull.BytesDone);
    }

    [Fact]
    public async Task BeginPullAsync_ManifestOfAnotherPackage_IsRefused()
    {
        var store = await _temp.OpenStoreAsync();

        var error = await Assert.ThrowsAsync<PackageException>(() => store.BeginPullAsync(_manifest, "sha256-" + new string('a', 64), Cancellation));

        Assert.Equal(PackageErrorCode.DigestMismatch, error.Code);
        Assert.Empty(_temp.StoreContents());
    }

    [Fact]
    public async Task BeginPullAsync_WhileAnotherPulls_IsRefused()
    {
        var store = await _temp.OpenStoreAsync();
        using var pull = await store.BeginPullAsync(_manifest, _digest, Cancellation);

        var error = await Assert.ThrowsAsync<PackageException>(() => store.BeginPullAsync(_manifest, _digest, Cancellation));
        Assert.Equal(PackageErrorCode.InUse, error.Code);
    }

    [Fact]
    public async Task GarbageCollectAsync_PullThatWasGivenUp_IsRemovedOnceItIsOldAndNobodyGoesOn()
    {
        var store = await _temp.OpenStoreAsync();
        using (var pull = await store.BeginPullAsync(_manifest, _digest, Cancellation))
        {
            Copy(pull, "disk", 0, Half);
            Assert.Empty((await store.GarbageCollectAsync(null, DateTimeOffset.UtcNow.AddHours(1), Cancellation)).Partials);
        }

        Assert.Empty((await store.GarbageCollectAsync(null, DateTimeOffset.UtcNow.AddHours(-1), Cancellation)).Partials);
        var cleaning = await store.GarbageCollectAsync(null, DateTimeOffset.UtcNow.AddHours(1), Cancellation);

        Assert.Equal([_digest], cleaning.Partials);
        Assert.True(cleaning.Bytes >= Half);
        Assert.Empty(_temp.StoreContents());
    }

    [Fact]
    public async Task Write_Zeros_StayHoles()
    {
        _blueprint.ReplaceEntry("disk", file => file.SetLength(16 << 20));
        var manifest = File.ReadAllBytes(_blueprint.ManifestPath);
        var store = await _temp.OpenStoreAsync();
        using var pull = await store.BeginPullAsync(manifest, PackageManifest.DigestOf(manifest), Cancellation);

        CopyAll(pull);
        var package = await pull.CommitAsync([], null, Cancellation);

        Assert.Equal(0, TestBlueprint.AllocatedBytes(package.PathOf("disk")));
    }

    private string[] Pulls() => [.. Directory.EnumerateFileSystemEntries(_temp.Store, ".pulling-*")];

    private void CopyAll(PackagePull pull)
    {
        foreach (var entry in pull.Manifest.Entries)
            Copy(pull, entry.Name, 0, (int)entry.Size);
    }

    private void Copy(PackagePull pull, string entry, int offset, int length)
    {
        pull.Write(entry, offset, File.ReadAllBytes(_blueprint.PathOf(entry)).AsSpan(offset, length));
        pull.Complete(entry, new PackageRange(offset, length));
    }
}
