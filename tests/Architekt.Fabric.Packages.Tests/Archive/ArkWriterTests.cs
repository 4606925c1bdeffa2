using System.Formats.Tar;

namespace Architekt.Fabric.Packages.Tests.Archive;

public sealed class ArkWriterTests : IDisposable
{
    private readonly TempFolder _temp = new();
    private readonly string _folder;
    private readonly string _ark;

    public ArkWriterTests()
    {
        _folder = Directory.CreateDirectory(_temp.PathOf("archives")).FullName;
        _ark = Path.Combine(_folder, "redis.ark");
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task WriteAsync_SamePackageTwice_GivesTheSameArchive()
    {
        var package = await StoreAsync(diskSize: 5 << 20);
        var other = Path.Combine(_folder, "other.ark");

        await ArkWriter.WriteAsync(package, _ark, null, null, Cancellation);
        await ArkWriter.WriteAsync(package, other, null, null, Cancellation);

        Assert.Equal(File.ReadAllBytes(_ark), File.ReadAllBytes(other));
    }

    [Theory]
    [InlineData("0001-01-01T00:00:00Z")]
    [InlineData("9999-12-31T23:59:59Z")]
    public async Task WriteAsync_ManifestOfAnyTime_IsReadable(string createdAt)
    {
        var blueprint = new TestBlueprint(_temp);
        blueprint.EditManifest(json => json["createdAt"] = createdAt);
        var store = await _temp.OpenStoreAsync();

        await ArkWriter.WriteAsync(await store.ImportAsync(blueprint.Folder, null, null, Cancellation), _ark, null, null, Cancellation);

        Assert.Equal(DateTimeOffset.Parse(createdAt), (await ArkReader.VerifyAsync(_ark, null, Cancellation)).Manifest.CreatedAt);
    }

    [Fact]
    public async Task WriteAsync_FileIsThere_ExistsUnlessToldToOverwrite()
    {
        var package = await StoreAsync();
        File.WriteAllText(_ark, "precious");

        var error = await Assert.ThrowsAsync<PackageException>(() => ArkWriter.WriteAsync(package, _ark, null, null, Cancellation));

        Assert.Equal(PackageErrorCode.Exists, error.Code);
        Assert.Equal("precious", File.ReadAllText(_ark));
        await ArkWriter.WriteAsync(package, _ark, new ArkWriteOptions { Overwrite = true }, null, Cancellation);
        await ArkReader.VerifyAsync(_ark, null, Cancellation);
        Assert.Equal([_ark], Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public async Task WriteAsync_FileAppearsMeanwhile_IsNotOverwritten()
    {
        var package = await StoreAsync();

        var error = await Assert.ThrowsAsync<PackageException>(
            () => ArkWriter.WriteAsync(package, _ark, null, new Listener(_ => File.WriteAllText(_ark, "precious")), Cancellation));

        Assert.Equal(PackageErrorCode.Exists, error.Code);
        Assert.Equal("precious", File.ReadAllText(_ark));
        Assert.Equal([_ark], Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public async Task WriteAsync_DamagedStore_IsADigestMismatchAndLeavesNothing()
    {
        var package = await StoreAsync();
        Damage(package.PathOf("disk"));

        await FailsAsync(package, PackageErrorCode.DigestMismatch, "'disk'");
    }

    [Fact]
    public async Task WriteAsync_DamagedManifest_IsADigestMismatchAndLeavesNothing()
    {
        var package = await StoreAsync();
        var manifest = Path.Combine(package.Folder, PackageManifest.FileName);
        File.SetUnixFileMode(manifest, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.AppendAllText(manifest, " ");

        await FailsAsync(package, PackageErrorCode.DigestMismatch, "manifest");
    }

    [Fact]
    public async Task WriteAsync_Cancelled_LeavesNothing()
    {
        var package = await StoreAsync(diskSize: 8 << 20);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var halfway = new Listener(progress =>
        {
            if (progress.BytesDone > progress.BytesTotal / 2)
                stop.Cancel();
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ArkWriter.WriteAsync(package, _ark, null, halfway, stop.Token));

        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public async Task WriteAsync_PartsOfKilledExports_AreRemovedAndOthersKept()
    {
        var package = await StoreAsync();
        var dead = Path.Combine(_folder, $".redis.ark.{Guid.NewGuid():N}.partial");
        var alive = Path.Combine(_folder, $".redis.ark.{Guid.NewGuid():N}.partial");
        var foreign = Path.Combine(_folder, $".redis.ark.notes.partial");
        File.WriteAllText(dead, "half");
        File.WriteAllText(foreign, "mine");
        using var writer = new FileStream(alive, FileMode.CreateNew, FileAccess.Write, FileShare.None);

        await ArkWriter.WriteAsync(package, _ark, null, null, Cancellation);

        Assert.Equal(new[] { alive, foreign, _ark }.Order(), Directory.GetFileSystemEntries(_folder).Order());
    }

    [Fact]
    public async Task WriteAsync_Pipe_IsInvalid()
    {
        var package = await StoreAsync();
        var blueprint = new TestBlueprint(_temp);
        blueprint.MakePipe("disk");

        var error = await Assert.ThrowsAsync<PackageException>(
            () => ArkWriter.WriteAsync(package, blueprint.PathOf("disk"), new ArkWriteOptions { Overwrite = true }, null, Cancellation));

        Assert.Equal(PackageErrorCode.Invalid, error.Code);
        Assert.Contains("is not a regular file", error.Message);
    }

    [Fact]
    public async Task WriteAsync_NoFolderOrAFolder_SaysWhich()
    {
        var package = await StoreAsync();

        var missing = await Assert.ThrowsAsync<PackageException>(
            () => ArkWriter.WriteAsync(package, Path.Combine(_folder, "none", "redis.ark"), null, null, Cancellation));
        var folder = await Assert.ThrowsAsync<PackageException>(() => ArkWriter.WriteAsync(package, _folder, null, null, Cancellation));

        Assert.Equal((PackageErrorCode.NotFound, PackageErrorCode.Invalid), (missing.Code, folder.Code));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(23)]
    public async Task WriteAsync_LevelThatIsNone_IsOutOfRange(int level)
    {
        var package = await StoreAsync();

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => ArkWriter.WriteAsync(package, _ark, new ArkWriteOptions { Level = level }, null, Cancellation));
    }

    [Fact]
    public async Task WriteAsync_FullDisk_IsNoSpaceAndLeavesNothing()
    {
        if (!Environment.IsPrivilegedProcess)
            Assert.Skip("mounting a small file system needs root");
        var package = await StoreAsync(diskSize: 8 << 20);
        Tool.Run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", _folder);
        try
        {
            await FailsAsync(package, PackageErrorCode.NoSpace, "disk is full");
        }
        finally
        {
            Tool.Run("umount", _folder);
        }
    }

    [Fact]
    public void Add_MemberOfMoreThan8GiB_HasItsLengthForEveryTar()
    {
        Tool.SkipWithout("tar");
        const long Size = (9L << 30) + 5;
        using (var stream = new HoleStream(_ark))
        {
            using var writer = new ArkTarWriter(stream, DateTimeOffset.UnixEpoch);
            writer.Add("memory.zst", new FrameStream(Enumerable.Repeat((ReadOnlyMemory<byte>)new byte[1 << 20], 9 << 10).Append(new byte[5])));
            writer.Add("state.zst", new MemoryStream([1, 2, 3]));
        }

        using (var reader = new TarReader(File.OpenRead(_ark)))
        {
            Assert.Equal(Size, reader.GetNextEntry()!.Length);
            Assert.Equal("state.zst", reader.GetNextEntry()!.Name);
        }

        Assert.Contains($" {Size} ", Tool.Run("tar", "tvf", _ark));
    }

    private static void Damage(string path)
    {
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var file = File.OpenWrite(path);
        file.Write([0, 1]);
    }

    private async Task<StoredPackage> StoreAsync(int diskSize = 64 * 1024) =>
        await (await _temp.OpenStoreAsync()).ImportAsync(new TestBlueprint(_temp, diskSize: diskSize).Folder, null, null, Cancellation);

    private async Task FailsAsync(StoredPackage package, PackageErrorCode code, string problem)
    {
        var error = await Assert.ThrowsAsync<PackageException>(() => ArkWriter.WriteAsync(package, _ark, null, null, Cancellation));
        Assert.Equal(code, error.Code);
        Assert.Contains(problem, error.Message);
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    /// <summary>A file in which long writes become holes, so that it can be larger than the disk.</summary>
    private sealed class HoleStream(string path) : FileStream(path, FileMode.CreateNew)
    {
        // FileStream hands spans on to this, too, in a class derived from it.
        public override void Write(byte[] buffer, int offset, int count)
        {
            if (count > 4096)
                Position += count;
            else
                base.Write(buffer, offset, count);
        }
    }
}
