using System.Diagnostics;

namespace Architekt.Fabric.Packages.Tests.Store;

public sealed class ImportTests : IDisposable
{
    private readonly TempFolder _temp = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task ImportAsync_Blueprint_IsThereSealedUnderItsDigest()
    {
        var blueprint = new TestBlueprint(_temp);
        var store = await _temp.OpenStoreAsync();
        var reports = new List<PackageProgress>();

        var package = await store.ImportAsync(blueprint.Folder, null, new Listener(reports.Add), Cancellation);

        Assert.Equal(PackageManifest.DigestOf(File.ReadAllBytes(blueprint.ManifestPath)), package.Digest);
        Assert.Equal(Path.Combine(store.Root, package.Digest), package.Folder);
        Assert.Equal(["redis"], package.Names);
        foreach (var file in new[] { "manifest.json", "kernel", "initramfs", "disk" })
        {
            var path = Path.Combine(package.Folder, file);
            Assert.Equal(File.ReadAllBytes(blueprint.PathOf(file)), File.ReadAllBytes(path));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead, File.GetUnixFileMode(path));
        }

        Assert.False(File.GetUnixFileMode(package.Folder).HasFlag(UnixFileMode.UserWrite));
        Assert.True(File.GetUnixFileMode(package.Folder).HasFlag(UnixFileMode.OtherRead | UnixFileMode.OtherExecute));
        Assert.Equal(reports[^1].BytesTotal, reports[^1].BytesDone);
        Assert.Equal(reports.Select(report => report.BytesDone).Order(), reports.Select(report => report.BytesDone));
        Assert.Empty(_temp.Leftovers());
    }

    [Fact]
    public async Task ImportAsync_Again_ChangesNothing()
    {
        var blueprint = new TestBlueprint(_temp);
        var store = await _temp.OpenStoreAsync();
        var first = await store.ImportAsync(blueprint.Folder, null, null, Cancellation);
        var written = Directory.GetCreationTimeUtc(first.Folder);

        var second = await (await _temp.OpenStoreAsync()).ImportAsync(blueprint.Folder, null, null, Cancellation);

        Assert.Equal(first.Digest, second.Digest);
        Assert.Equal(written, Directory.GetCreationTimeUtc(second.Folder));
        Assert.Single(await store.ListAsync(Cancellation));
    }

    [Fact]
    public async Task ImportAsync_SparseDisk_KeepsItsHoles()
    {
        const int Size = 64 << 20;
        var blueprint = new TestBlueprint(_temp);
        blueprint.ReplaceEntry("disk", file =>
        {
            file.SetLength(Size);
            file.Position = 20 << 20;
            file.Write(new byte[1 << 20].Select((_, index) => (byte)(index | 1)).ToArray());
            // Zeros that take up space in the source.
            file.Position = 40 << 20;
            file.Write(new byte[8 << 20]);
        });
        var store = await _temp.OpenStoreAsync();

        var package = await store.ImportAsync(blueprint.Folder, null, null, Cancellation);

        Assert.Equal(Size, new FileInfo(package.PathOf("disk")).Length);
        Assert.InRange(TestBlueprint.AllocatedBytes(package.PathOf("disk")), 1 << 20, 2 << 20);
        await PackageStore.VerifyAsync(package, null, Cancellation);
    }

    [Theory]
    [InlineData("kernel")]
    [InlineData("disk")]
    public async Task ImportAsync_DamagedEntry_IsADigestMismatchAndLeavesNothing(string entry)
    {
        var blueprint = new TestBlueprint(_temp);
        using (var file = File.OpenWrite(blueprint.PathOf(entry)))
        {
            file.Position = 1000;
            file.WriteByte(0);
            file.WriteByte(1);
        }

        var error = await FailAsync(blueprint, PackageErrorCode.DigestMismatch);

        Assert.Contains($"'{entry}'", error.Message);
    }

    [Fact]
    public async Task ImportAsync_ShorterEntry_IsInvalid()
    {
        var blueprint = new TestBlueprint(_temp);
        using (var file = File.OpenWrite(blueprint.PathOf("disk")))
            file.SetLength(100);

        Assert.Contains("has 100 bytes, but the manifest says 65536", (await FailAsync(blueprint, PackageErrorCode.Invalid)).Message);
    }

    [Fact]
    public async Task ImportAsync_MissingEntry_IsNotFound()
    {
        var blueprint = new TestBlueprint(_temp);
        File.Delete(blueprint.PathOf("initramfs"));

        Assert.Contains("'initramfs'", (await FailAsync(blueprint, PackageErrorCode.NotFound)).Message);
    }

    [Fact]
    public async Task ImportAsync_EntryIsAPipe_IsInvalidAndDoesNotWait()
    {
        var blueprint = new TestBlueprint(_temp);
        blueprint.MakePipe("kernel");

        var failing = Task.Run(() => FailAsync(blueprint, PackageErrorCode.Invalid), Cancellation);

        Assert.Contains("not a regular file", (await failing.WaitAsync(TimeSpan.FromSeconds(30), Cancellation)).Message);
    }

    [Fact]
    public async Task ImportAsync_NoManifest_IsNotFound()
    {
        var blueprint = new TestBlueprint(_temp);
        File.Delete(blueprint.ManifestPath);

        await FailAsync(blueprint, PackageErrorCode.NotFound);
    }

    [Fact]
    public async Task ImportAsync_NewerFormat_IsUnsupportedVersion()
    {
        var blueprint = new TestBlueprint(_temp);
        blueprint.EditManifest(json => json["formatVersion"] = 2);

        await FailAsync(blueprint, PackageErrorCode.UnsupportedVersion);
    }

    [Theory]
    [InlineData("../escape")]
    [InlineData(".hidden")]
    [InlineData("UPPER")]
    [InlineData("")]
    public async Task ImportAsync_BadName_IsInvalid(string name)
    {
        var store = await _temp.OpenStoreAsync();
        var blueprint = new TestBlueprint(_temp);

        var error = await Assert.ThrowsAsync<PackageException>(() => store.ImportAsync(blueprint.Folder, name, null, Cancellation));

        Assert.Equal(PackageErrorCode.Invalid, error.Code);
    }

    [Fact]
    public async Task ImportAsync_NameOfAnotherPackage_ExistsAndNothingIsStored()
    {
        var store = await _temp.OpenStoreAsync();
        var first = await store.ImportAsync(new TestBlueprint(_temp).Folder, null, null, Cancellation);

        var error = await Assert.ThrowsAsync<PackageException>(
            () => store.ImportAsync(new TestBlueprint(_temp, seed: 2).Folder, "redis", null, Cancellation));

        Assert.Equal(PackageErrorCode.Exists, error.Code);
        Assert.Contains(first.Digest, error.Message);
        Assert.Single(await store.ListAsync(Cancellation));
    }

    [Fact]
    public async Task ImportAsync_Cancelled_LeavesNothing()
    {
        var store = await _temp.OpenStoreAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var halfway = new Listener(progress =>
        {
            if (progress.Entry == "disk")
                stop.Cancel();
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => store.ImportAsync(new TestBlueprint(_temp, diskSize: 4 << 20).Folder, null, halfway, stop.Token));

        Assert.Empty(_temp.Leftovers());
        Assert.Empty(await store.ListAsync(Cancellation));
    }

    [Fact]
    public async Task OpenAsync_LeftoversOfDeadImports_AreRemovedAndOthersKept()
    {
        await _temp.OpenStoreAsync();
        var dead = Path.Combine(_temp.Store, $".incoming-{Guid.NewGuid():N}");
        Directory.CreateDirectory(dead);
        File.WriteAllText(dead + ".lock", "");
        File.WriteAllText(Path.Combine(dead, "disk"), "half");
        var deleting = Directory.CreateDirectory(Path.Combine(_temp.Store, $".deleting-{Guid.NewGuid():N}")).FullName;
        var foreign = Directory.CreateDirectory(Path.Combine(_temp.Store, ".incoming-notes")).FullName;

        await _temp.OpenStoreAsync();

        Assert.False(Directory.Exists(dead));
        Assert.False(File.Exists(dead + ".lock"));
        Assert.False(Directory.Exists(deleting));
        Assert.True(Directory.Exists(foreign));
    }

    [Fact]
    public async Task OpenAsync_WhileAnImportRuns_LeavesItAlone()
    {
        var store = await _temp.OpenStoreAsync();
        using var copying = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        var listener = new Listener(progress =>
        {
            copying.Set();
            goOn.Wait(TimeSpan.FromSeconds(30));
        });
        var import = store.ImportAsync(new TestBlueprint(_temp).Folder, null, listener, Cancellation);
        Assert.True(copying.Wait(TimeSpan.FromSeconds(30), Cancellation));

        await _temp.OpenStoreAsync();
        Assert.NotEmpty(_temp.Leftovers());
        goOn.Set();

        Assert.True(Directory.Exists((await import).Folder));
    }

    [Fact]
    public async Task ImportAsync_SamePackageAtOnceFromTwoStores_BothSucceed()
    {
        var blueprint = new TestBlueprint(_temp, diskSize: 8 << 20);
        var stores = new[] { await _temp.OpenStoreAsync(), await _temp.OpenStoreAsync() };
        using var together = new Barrier(2);

        // Both are seen copying before either may finish, so that both come to the rename.
        var imports = stores.Select(store =>
        {
            var met = false;
            return store.ImportAsync(blueprint.Folder, null, new Listener(_ => met = met || together.SignalAndWait(TimeSpan.FromSeconds(30))), Cancellation);
        });
        var packages = await Task.WhenAll(imports);

        Assert.Equal(packages[0].Digest, packages[1].Digest);
        Assert.Equal(packages[0].Digest, Assert.Single(await stores[0].ListAsync(Cancellation)).Digest);
        Assert.Empty(_temp.Leftovers());
        await PackageStore.VerifyAsync(packages[1], null, Cancellation);
    }

    [Fact]
    public async Task ImportAsync_FullDisk_IsNoSpaceAndLeavesNothing()
    {
        if (!Environment.IsPrivilegedProcess)
            Assert.Skip("mounting a small file system needs root");
        Directory.CreateDirectory(_temp.Store);
        if (Run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", _temp.Store) != 0)
            Assert.Skip("a tmpfs cannot be mounted here");
        try
        {
            await FailAsync(new TestBlueprint(_temp, diskSize: 8 << 20), PackageErrorCode.NoSpace);
        }
        finally
        {
            Assert.Equal(0, Run("umount", _temp.Store));
        }
    }

    private static int Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        return process.ExitCode;
    }

    private async Task<PackageException> FailAsync(TestBlueprint blueprint, PackageErrorCode code)
    {
        var store = await _temp.OpenStoreAsync();
        var error = await Assert.ThrowsAsync<PackageException>(() => store.ImportAsync(blueprint.Folder, null, null, Cancellation));
        Assert.Equal(code, error.Code);
        Assert.Empty(_temp.Leftovers());
        Assert.Empty(await store.ListAsync(Cancellation));
        return error;
    }
}
