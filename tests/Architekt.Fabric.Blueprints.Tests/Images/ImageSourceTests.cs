using System.Formats.Tar;
using System.Text.Json;
using Architekt.Fabric.Blueprints.Images;
using Architekt.Fabric.Blueprints.Layers;
using Architekt.Fabric.Blueprints.Tests.Support;

namespace Architekt.Fabric.Blueprints.Tests.Images;

public sealed class ImageSourceTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Layout_WithAllCompressions_IsUnpacked()
    {
        var image = Layout("image");
        var digest = image.Finish(new { User = "u", WorkingDir = "/w", StopSignal = "SIGINT", Entrypoint = new[] { "e" }, Cmd = new[] { "c" }, Env = new[] { "A=b" } });
        using var opened = await OpenAsync(image.Folder);
        Assert.Equal(digest, opened.Digest);
        Assert.Equal(("u", "/w", "SIGINT"), (opened.Parameters.User, opened.Parameters.WorkingDir, opened.Parameters.StopSignal));
        Assert.Equal(["e", "c", "A=b"], [.. opened.Parameters.Entrypoint!, .. opened.Parameters.Cmd!, .. opened.Parameters.Env!]);
        Assert.Equal(2024, opened.Created!.Value.Year);
        Assert.Equal(["/gzip", "/plain", "/zstd"], (await UnpackAsync(opened)).Nodes().Select(node => node.Path));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task LayoutInAnArchive_IsReadWhereItIs(bool isCompressed)
    {
        var image = Layout("image");
        var digest = image.Finish();
        using var opened = await OpenAsync(Pack(image.Folder, isCompressed));
        Assert.Equal(digest, opened.Digest);
        Assert.Equal(3, (await UnpackAsync(opened)).Nodes().Count());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task DockerSave_IsUnpacked(bool isCompressed)
    {
        using var opened = await OpenAsync(DockerSave(isDamaged: false, isCompressed), "redis:7");
        Assert.Equal(["start"], opened.Parameters.Entrypoint!);
        // The second layer is a link to the first one's file, as Docker has layers that images share.
        Assert.Equal(["/one"], (await UnpackAsync(opened)).Nodes().Select(node => node.Path));
    }

    [Fact]
    public async Task DockerSave_WithADamagedLayer_IsRefused()
    {
        using var opened = await OpenAsync(DockerSave(isDamaged: true));
        await RefusalAsync(BlueprintErrorCode.DigestMismatch, () => UnpackAsync(opened));
    }

    [Fact]
    public async Task DamagedLayer_IsRefused_BeforeItIsUnpacked()
    {
        var image = Layout("image");
        image.Finish();
        await using (var layer = File.OpenWrite(image.LayerFiles[1]))
        {
            layer.Position = 20;
            layer.WriteByte(0xAA);
        }

        using var opened = await OpenAsync(image.Folder);
        Assert.Contains("blobs/sha256/", await RefusalAsync(BlueprintErrorCode.DigestMismatch, () => UnpackAsync(opened)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TruncatedLayer_IsRefused()
    {
        var image = Layout("image");
        image.Finish();
        await using (var layer = File.OpenWrite(image.LayerFiles[0]))
            layer.SetLength(layer.Length - 1);
        using var opened = await OpenAsync(image.Folder);
        await RefusalAsync(BlueprintErrorCode.DigestMismatch, () => UnpackAsync(opened));
    }

    [Fact]
    public async Task DamagedManifest_IsRefused()
    {
        var image = Layout("image");
        var digest = image.Finish();
        await File.AppendAllTextAsync(image.BlobPath(digest), " ", Cancellation);
        await RefusalAsync(BlueprintErrorCode.DigestMismatch, () => OpenAsync(image.Folder));
    }

    [Fact]
    public async Task OtherPlatforms_AreRefused_AndNamed()
    {
        new TestImage(_folder["image"]) { Architecture = "arm64" }.Finish();
        Assert.Contains("linux/arm64", await RefusalAsync(BlueprintErrorCode.Unsupported, () => OpenAsync(_folder["image"])), StringComparison.Ordinal);
    }

    [Fact]
    public async Task OneOfSeveralPlatforms_IsChosen()
    {
        new TestImage(_folder["image"]) { Architecture = "arm64" }.Finish();
        var digest = new TestImage(_folder["image"]).Finish();
        using var opened = await OpenAsync(_folder["image"]);
        Assert.Equal(digest, opened.Digest);
    }

    [Fact]
    public async Task SeveralImages_NeedAName()
    {
        new TestImage(_folder["image"]).Finish(new { User = "first" }, "redis:7");
        var second = new TestImage(_folder["image"]).Finish(new { User = "second" }, "nginx:1");
        Assert.Contains("redis:7, nginx:1", await RefusalAsync(BlueprintErrorCode.Invalid, () => OpenAsync(_folder["image"])), StringComparison.Ordinal);
        Assert.Contains("redis:7, nginx:1", await RefusalAsync(BlueprintErrorCode.NotFound, () => OpenAsync(_folder["image"], "mysql")), StringComparison.Ordinal);
        using var opened = await OpenAsync(_folder["image"], "nginx:1");
        Assert.Equal(second, opened.Digest);
    }

    [Fact]
    public async Task DigestThatIsAPath_IsRefused()
    {
        Layout("image").Finish();
        await File.WriteAllTextAsync(
            Path.Combine(_folder["image"], "index.json"), """{"manifests":[{"mediaType":"x","digest":"sha256:../../../../etc/passwd","size":1}]}""", Cancellation);
        await RefusalAsync(BlueprintErrorCode.Unsupported, () => OpenAsync(_folder["image"]));
    }

    [Fact]
    public async Task RootTar_IsOneLayer()
    {
        using var tar = new TarBuilder().Folder("etc").File("etc/hostname", "x");
        await File.WriteAllBytesAsync(_folder["root.tar.zst"], TestImage.Zstd(tar.Build()), Cancellation);
        using var opened = await OpenAsync(_folder["root.tar.zst"]);
        Assert.Equal(TestImage.Digest(tar.Build()), opened.Digest);
        Assert.Equal(["/etc", "/etc/hostname"], (await UnpackAsync(opened)).Nodes().Select(node => node.Path));
    }

    [Fact]
    public async Task WhatIsNoSource_IsRefused()
    {
        await RefusalAsync(BlueprintErrorCode.NotFound, () => OpenAsync(_folder["nothing"]));
        await RefusalAsync(BlueprintErrorCode.Invalid, () => OpenAsync(_folder.Path));
        await File.WriteAllTextAsync(_folder["text"], new string('x', 2000), Cancellation);
        await RefusalAsync(BlueprintErrorCode.Invalid, () => OpenAsync(_folder["text"]));
    }

    private TestImage Layout(string name) => new TestImage(_folder[name])
        .AddLayer(new TarBuilder().File("gzip").Build(), "gzip").AddLayer(new TarBuilder().File("zstd").Build(), "zstd").AddLayer(new TarBuilder().File("plain").Build(), "");

    private string Pack(string folder, bool isCompressed)
    {
        TarFile.CreateFromDirectory(folder, _folder["image.tar"], includeBaseDirectory: false);
        if (isCompressed)
            File.WriteAllBytes(_folder["image.tar"], TestImage.Gzip(File.ReadAllBytes(_folder["image.tar"])));
        return _folder["image.tar"];
    }

    private string DockerSave(bool isDamaged, bool isCompressed = false)
    {
        var folder = Directory.CreateDirectory(_folder["saved"]).FullName;
        var layer = new TarBuilder().File("one", "content").Build();
        Directory.CreateDirectory(Path.Combine(folder, "first"));
        Directory.CreateDirectory(Path.Combine(folder, "second"));
        File.WriteAllBytes(Path.Combine(folder, "first/layer.tar"), isDamaged ? new TarBuilder().File("two", "content").Build() : layer);
        File.CreateSymbolicLink(Path.Combine(folder, "second/layer.tar"), "../first/layer.tar");
        var configuration = new
        {
            architecture = "amd64",
            os = "linux",
            config = new { Entrypoint = new[] { "start" } },
            rootfs = new { type = "layers", diff_ids = new[] { TestImage.Digest(layer), TestImage.Digest(layer) } },
        };
        File.WriteAllText(Path.Combine(folder, "config.json"), JsonSerializer.Serialize(configuration));
        var images = new[] { new { Config = "config.json", RepoTags = new[] { "library/redis:7" }, Layers = new[] { "first/layer.tar", "second/layer.tar" } } };
        File.WriteAllText(Path.Combine(folder, "manifest.json"), JsonSerializer.Serialize(images));
        return Pack(folder, isCompressed);
    }

    private Task<Image> OpenAsync(string path, string? reference = null) =>
        ImageReader.OpenAsync(new BlueprintSource(path) { Reference = reference }, _folder.Path, Cancellation);

    private Task<FileTree> UnpackAsync(Image image) => LayerStack.UnpackAsync(image, _folder["work"], null, Cancellation);

    private static async Task<string> RefusalAsync(BlueprintErrorCode code, Func<Task> action)
    {
        var error = await Assert.ThrowsAsync<BlueprintException>(action);
        Assert.Equal(code, error.Code);
        return error.Message;
    }
}
