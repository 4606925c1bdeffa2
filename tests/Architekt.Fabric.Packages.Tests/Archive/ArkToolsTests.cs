namespace Architekt.Fabric.Packages.Tests.Archive;

/// <summary>Our archives and the tools that everybody has.</summary>
public sealed class ArkToolsTests : IDisposable
{
    private readonly TempFolder _temp = new();
    private readonly TestBlueprint _blueprint;
    private readonly string _folder;

    public ArkToolsTests()
    {
        Tool.SkipWithout("tar", "zstd");
        _blueprint = new TestBlueprint(_temp, diskSize: 3 << 20);
        _blueprint.AddMemory(Content.Sparse(128 << 20, 500, 1, compressible: true));
        _folder = Directory.CreateDirectory(_temp.PathOf("unpacked")).FullName;
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _temp.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(19)]
    public async Task TarAndZstd_OurArchive_UnpackItToTheSameFiles(int level)
    {
        var package = await (await _temp.OpenStoreAsync()).ImportAsync(_blueprint.Folder, null, null, Cancellation);
        var ark = _temp.PathOf("redis.ark");
        await ArkWriter.WriteAsync(package, ark, new ArkWriteOptions { Level = level }, null, Cancellation);

        Assert.Equal(
            ["manifest.json", "kernel.zst", "initramfs.zst", "disk.zst", "memory.zst", "state.zst"],
            Tool.Run("tar", "tf", ark).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Tool.Run("tar", "xf", ark, "-C", _folder);
        Assert.Equal(File.ReadAllBytes(_blueprint.ManifestPath), File.ReadAllBytes(Path.Combine(_folder, "manifest.json")));
        foreach (var entry in package.Manifest.Entries)
        {
            var path = Path.Combine(_folder, entry.Name);
            Tool.Run("zstd", "-q", "-d", path + ".zst", "-o", path);
            Tool.Run("cmp", path, _blueprint.PathOf(entry.Name));
        }
    }

    [Theory]
    [InlineData("gnu", "-3")]
    [InlineData("pax", "-19")]
    [InlineData("ustar", "--fast=5")]
    [InlineData("v7", "-3")]
    [InlineData("gnu", "--no-content-size")]
    [InlineData("gnu", "--no-check")]
    public async Task ImportAsync_ArchiveOfTarAndZstd_IsTheSamePackage(string format, string compression)
    {
        var manifest = PackageManifest.Parse(File.ReadAllBytes(_blueprint.ManifestPath), "manifest.json");
        File.Copy(_blueprint.ManifestPath, Path.Combine(_folder, "manifest.json"));
        foreach (var entry in manifest.Entries)
            Tool.Run("zstd", "-q", compression, _blueprint.PathOf(entry.Name), "-o", Path.Combine(_folder, entry.Name + ".zst"));
        var ark = _temp.PathOf("redis.ark");
        Tool.Run(
            "tar", ["--format", format, "-cf", ark, "-C", _folder, "manifest.json", .. manifest.Entries.Reverse().Select(entry => entry.Name + ".zst")]);

        var package = await (await _temp.OpenStoreAsync()).ImportAsync(ark, null, null, Cancellation);

        Assert.Equal(PackageManifest.DigestOf(File.ReadAllBytes(_blueprint.ManifestPath)), package.Digest);
        foreach (var entry in manifest.Entries)
            Tool.Run("cmp", package.PathOf(entry.Name), _blueprint.PathOf(entry.Name));
        Assert.InRange(TestBlueprint.AllocatedBytes(package.PathOf("memory")), 1, 501 * Content.Page);
    }

    [Fact]
    public void Zstd_ZerosOfMoreThanOneFrame_AreAllThere()
    {
        const long Size = ZeroFrame.MaxZeros + 12345;
        var path = _temp.PathOf("zeros.zst");
        using (var file = File.Create(path))
        {
            foreach (var frame in ZeroFrame.Of(Size))
                file.Write(frame.Span);
        }

        // 128 KiB of window is the least there is: it must not need more memory than that.
        Tool.Run("zstd", "-q", "-d", "--memory=128KB", path, "-o", _temp.PathOf("zeros"));

        using (var expected = File.Create(_temp.PathOf("hole")))
            expected.SetLength(Size);
        Tool.Run("cmp", _temp.PathOf("hole"), _temp.PathOf("zeros"));
    }
}
