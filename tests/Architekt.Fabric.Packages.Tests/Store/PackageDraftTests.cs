namespace Architekt.Fabric.Packages.Tests.Store;

public sealed class PackageDraftTests : IDisposable
{
    private const int MemoryBytes = 2 << 20;
    private readonly TempFolder _temp = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task CompleteAsync_FilesOfAPackage_AreMovedDigestedAndSealed()
    {
        var store = await _temp.OpenStoreAsync();
        var blueprint = await store.ImportAsync(new TestBlueprint(_temp).Folder, null, null, Cancellation);
        using var draft = await store.BeginAsync("warm", Cancellation);
        await FillAsync(draft, blueprint);
        var allocated = TestBlueprint.AllocatedBytes(Path.Combine(draft.Folder, PackageEntryNames.Memory));

        var package = await draft.CompleteAsync(Manifest(), progress: null, Cancellation);

        Assert.Equal(["warm"], package.Names);
        Assert.Equal(package.Digest, (await store.GetAsync("warm", Cancellation)).Digest);
        Assert.Equal(["kernel", "initramfs", "disk", "memory", "state"], package.Manifest.Entries.Select(entry => entry.Name));
        await PackageStore.VerifyAsync(package, progress: null, Cancellation);
        Assert.Equal(allocated, TestBlueprint.AllocatedBytes(package.PathOf(PackageEntryNames.Memory)));
        Assert.False(Directory.Exists(draft.Folder), "The draft's folder was copied instead of moved.");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead, File.GetUnixFileMode(package.PathOf(PackageEntryNames.State)));
    }

    [Fact]
    public async Task Dispose_BeforeItIsComplete_LeavesNothing()
    {
        var store = await _temp.OpenStoreAsync();
        var blueprint = await store.ImportAsync(new TestBlueprint(_temp).Folder, null, null, Cancellation);
        var before = Directory.EnumerateFileSystemEntries(store.Root).Order().ToList();

        using (var draft = await store.BeginAsync("warm", Cancellation)) await FillAsync(draft, blueprint);

        Assert.Equal(before, Directory.EnumerateFileSystemEntries(store.Root).Order());
        Assert.Null(await store.FindAsync("warm", Cancellation));
    }

    [Fact]
    public async Task CompleteAsync_WithoutState_IsInvalidAndNamesIt()
    {
        var store = await _temp.OpenStoreAsync();
        var blueprint = await store.ImportAsync(new TestBlueprint(_temp).Folder, null, null, Cancellation);
        using var draft = await store.BeginAsync("warm", Cancellation);
        await FillAsync(draft, blueprint);
        File.Delete(Path.Combine(draft.Folder, PackageEntryNames.State));

        var error = await Assert.ThrowsAsync<PackageException>(() => draft.CompleteAsync(Manifest(), progress: null, Cancellation));

        Assert.Equal(PackageErrorCode.Invalid, error.Code);
        Assert.Contains("needs the entry 'state'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BeginAsync_NameThatIsTaken_IsRefusedBeforeAnythingIsMade()
    {
        var store = await _temp.OpenStoreAsync();
        await store.ImportAsync(new TestBlueprint(_temp).Folder, null, null, Cancellation);

        var error = await Assert.ThrowsAsync<PackageException>(() => store.BeginAsync("redis", Cancellation));

        Assert.Equal(PackageErrorCode.Exists, error.Code);
        Assert.Empty(Directory.EnumerateFileSystemEntries(store.Root, ".incoming-*"));
    }

    [Fact]
    public async Task OpenAsync_DraftOfAProcessThatDied_IsRemoved()
    {
        var store = await _temp.OpenStoreAsync();
        var draft = await store.BeginAsync("warm", Cancellation);
        File.WriteAllText(Path.Combine(draft.Folder, PackageEntryNames.Memory), "half");

        await PackageStore.OpenAsync(store.Root, logger: null, Cancellation);
        Assert.True(Directory.Exists(draft.Folder), "A draft somebody works on was taken for a leftover.");

        // A dead process' lock is gone, its files are not.
        var folder = draft.Folder;
        draft.Dispose();
        Directory.CreateDirectory(folder);
        File.WriteAllText(folder + ".lock", "");
        await PackageStore.OpenAsync(store.Root, logger: null, Cancellation);
        Assert.False(Directory.Exists(folder));
    }

    private static PackageManifest Manifest() => TestBlueprint.Manifest("warm", []) with
    {
        Kind = PackageKind.Package,
        MemoryBytes = MemoryBytes,
        QemuVersion = "7.2.22",
        Machine = TestBlueprint.Machine,
    };

    private static async Task FillAsync(PackageDraft draft, StoredPackage blueprint)
    {
        foreach (var entry in new[] { PackageEntryNames.Kernel, PackageEntryNames.Initramfs, PackageEntryNames.Disk })
            await draft.CopyAsync(blueprint, entry, Cancellation);
        File.WriteAllBytes(Path.Combine(draft.Folder, PackageEntryNames.State), [1, 2, 3]);
        using var memory = File.Create(Path.Combine(draft.Folder, PackageEntryNames.Memory));
        memory.SetLength(MemoryBytes);
        memory.Position = 1 << 20;
        memory.Write([42]);
    }
}
