using System.Formats.Tar;
using System.Text.Json;
using System.Text.RegularExpressions;
using Architekt.Fabric.Blueprints.Tests.Support;
using Architekt.Fabric.Packages;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Blueprints.Tests;

/// <summary>All of the builder but the boot, with the real mke2fs and debugfs.</summary>
public sealed partial class BlueprintBuilderTests : IDisposable
{
    private static readonly byte[] _capability = [1, 0, 0, 2, 0x80, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    private readonly TempFolder _folder = new();

    public BlueprintBuilderTests()
    {
        Tool.Require("mke2fs", "debugfs", "e2fsck");
        FakeParts.Make(_folder["parts"]);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Disk_HoldsWhatTheImageSays()
    {
        var disk = Path.Combine((await BuildAsync(OddImage("image"), "out")).Folder, PackageEntryNames.Disk);
        Assert.Contains("files (", await Tool.RunAsync("e2fsck", "-fn", disk), StringComparison.Ordinal);

        AssertInode(await StatAsync(disk, "/set-id"), "regular", "06755", 100_000, 70_000, links: 1);
        AssertInode(await StatAsync(disk, "/"), "directory", "0750", 3, 4);
        AssertInode(await StatAsync(disk, "/tmp"), "directory", "01777", 0, 0);
        AssertInode(await StatAsync(disk, "/dir"), "directory", "0700", 5, 6);
        AssertInode(await StatAsync(disk, "/dir/hard"), "regular", "0644", 1, 2, links: 2);
        AssertInode(await StatAsync(disk, "/link"), "symlink", "0777", 0, 0);
        AssertInode(await StatAsync(disk, "/dir/fifo"), "FIFO", "0644", 0, 0);
        AssertInode(await StatAsync(disk, "/dir/null"), "character special", "0666", 0, 0, links: 2);
        Assert.Contains("Device major/minor number: 01:03", await StatAsync(disk, "/null-too"), StringComparison.Ordinal);
        Assert.Contains("Device major/minor number: 259:60000", await StatAsync(disk, "/dir/disk"), StringComparison.Ordinal);
        Assert.Contains("Fast link dest: \"/else/where\"", await StatAsync(disk, "/link"), StringComparison.Ordinal);
        var expected = $"0x{TarBuilder.Time.ToUnixTimeSeconds():x8}:00000000";
        var times = await StatAsync(disk, "/set-id");
        Assert.All(["ctime", "atime", "mtime", "crtime"], field => Assert.Contains($"{field}: {expected}", times, StringComparison.Ordinal));
        Assert.Contains(
            "security.capability (20) = 01 00 00 02 80 20 00 00", await DebugfsAsync(disk, "ea_get -x /with-attributes security.capability"), StringComparison.Ordinal);
        Assert.Equal("content of one", await DebugfsAsync(disk, "cat /dir/one"));
        Assert.Equal("odd", await DebugfsAsync(disk, "cat \"/odd \"\"name\"\" <1>\""));
        Assert.Contains("File not found", await StatAsync(disk, "/hidden"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task SameImage_MakesTheSameBlueprint_WhateverItsFilesTimes()
    {
        var first = await BuildAsync(OddImage("image"), "first");
        Directory.CreateDirectory(_folder["copies"]);
        await Tool.RunAsync("cp", "-r", _folder["image"], _folder["copies"]);
        await Tool.RunAsync("cp", "-r", _folder["parts"], _folder["copies"]);
        foreach (var file in Directory.GetFiles(_folder["copies"], "*", SearchOption.AllDirectories))
            File.SetLastWriteTimeUtc(file, DateTime.UnixEpoch.AddDays(file.Length));
        var second = await BlueprintBuilder.BuildAsync(
            new BlueprintSource(_folder["copies/image"]), FakeParts.Options(_folder["copies/parts"], _folder["second"]), null, Cancellation);
        Assert.Equal(first.Manifest.Entries, second.Manifest.Entries);
        Assert.Equal(first.Digest, second.Digest);
        // And an image that differs makes another one.
        var other = await BuildAsync(OddImage("other", "changed"), "third");
        Assert.NotEqual(first.Manifest.Entries[2].Sha256, other.Manifest.Entries[2].Sha256);
    }

    [Fact]
    public async Task UnprivilegedUser_MakesTheSameBlueprintAsRoot()
    {
        const string Nobody = "65534";
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can become another user for this test");
        Tool.Require("setpriv");
        string[] become = ["--reuid", Nobody, "--regid", Nobody, "--clear-groups", "--no-new-privs", "--"];
        var runtime = typeof(object).Assembly.Location;
        var readable = await Command.RunAsync("setpriv", [.. become, "test", "-r", runtime], null, Cancellation);
        Assert.SkipUnless(readable.Succeeded, $"other users cannot read the .NET runtime, {runtime}");

        var mine = await BuildAsync(OddImage("image"), "mine");
        // Where others can reach it, and on a path of its own for what they write.
        await Tool.RunAsync("cp", "-r", AppContext.BaseDirectory, _folder["program"]);
        await Tool.RunAsync("chmod", "-R", "a+rX", _folder.Path);
        Directory.CreateDirectory(_folder["theirs"]);
        FileOwner.Give(_folder["theirs"], int.Parse(Nobody));
        var program = Path.Combine(_folder["program"], Path.GetFileName(Environment.ProcessPath!));
        var output = await Tool.RunAsync("setpriv", [.. become, program, "build", _folder["image"], _folder["theirs/out"], _folder["parts"]]);
        Assert.Equal(mine.Digest, output.Trim());
    }

    [Fact]
    public async Task Blueprint_IsTakenByAStore_AndSaysWhatItIsOf()
    {
        var image = OddImage("image");
        var result = await BuildAsync(image, "out");
        var store = await PackageStore.OpenAsync(_folder["store"], null, Cancellation);
        Assert.Equal(result.Digest, (await store.ImportAsync(result.Folder, null, null, Cancellation)).Digest);
        Assert.Equal(FakeParts.KernelVersion, result.Manifest.Labels["kernel"]);
        Assert.StartsWith("sha256:", result.Manifest.Labels["image"], StringComparison.Ordinal);
        Assert.Equal(2024, result.Manifest.CreatedAt.Year);
    }

    [Fact]
    public async Task Failure_LeavesNothingBehind()
    {
        var image = OddImage("image");
        File.Delete(image.LayerFiles[0]);
        Directory.CreateDirectory(_folder["place"]);
        await Assert.ThrowsAsync<BlueprintException>(() => BuildAsync(image, "place/out"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder["place"]));
    }

    [Fact]
    public async Task Cancellation_LeavesNothingBehind()
    {
        using var cancel = new CancellationTokenSource();
        Directory.CreateDirectory(_folder["place"]);
        var progress = new Reporter(phase =>
        {
            if (phase == BlueprintPhase.Disk)
                cancel.Cancel();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => BlueprintBuilder.BuildAsync(
            new BlueprintSource(OddImage("image").Folder), FakeParts.Options(_folder["parts"], _folder["place/out"]), progress, cancel.Token));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder["place"]));
    }

    [Fact]
    public async Task OutputThatExists_IsReplacedOnlyWhenAskedTo_AndOnlyABlueprint()
    {
        var image = OddImage("image");
        await BuildAsync(image, "out");
        await ExistsAsync(FakeParts.Options(_folder["parts"], _folder["out"]));
        var options = FakeParts.Options(_folder["parts"], _folder["out"]) with { Replace = true, Name = "replaced" };
        var replaced = await BlueprintBuilder.BuildAsync(new BlueprintSource(image.Folder), options, null, Cancellation);
        Assert.Contains("replaced", await File.ReadAllTextAsync(Path.Combine(replaced.Folder, "manifest.json"), Cancellation), StringComparison.Ordinal);

        Directory.CreateDirectory(_folder["precious"]);
        await File.WriteAllTextAsync(_folder["precious/file"], "precious", Cancellation);
        await ExistsAsync(options with { OutputFolder = _folder["precious"] });
        Assert.Equal("precious", await File.ReadAllTextAsync(_folder["precious/file"], Cancellation));

        async Task ExistsAsync(BlueprintOptions options) => Assert.Equal(
            BlueprintErrorCode.Exists,
            (await Assert.ThrowsAsync<BlueprintException>(() => BlueprintBuilder.BuildAsync(new BlueprintSource(image.Folder), options, null, Cancellation))).Code);
    }

    [Fact]
    public async Task Initramfs_HoldsTheProgramsAndTheConfiguration()
    {
        Tool.Require("cpio", "gzip", "sh");
        var image = new TestImage(_folder["image"]).AddLayer(new TarBuilder()
            .Folder("etc").File("etc/passwd", "svc:x:5:6::/srv:/bin/sh\n").Folder("run/svc", 0x5F8, 5, 6).Folder("run/svc/deep").Build());
        image.Finish(new { User = "svc", Env = new[] { "A=1", "B=2" }, Entrypoint = new[] { "/entry" }, Cmd = new[] { "arg" }, WorkingDir = "/made/here" });
        var options = FakeParts.Options(_folder["parts"], _folder["out"]) with
        {
            EntryPoint = null,
            Arguments = ["other"],
            Environment = new Dictionary<string, string> { ["B"] = "3" },
            HostName = "named",
            Ready = "tcp:80",
        };
        var result = await BlueprintBuilder.BuildAsync(new BlueprintSource(image.Folder), options, null, Cancellation);

        await Tool.RunAsync("sh", "-c", $"mkdir '{_folder["unpacked"]}' && cd '{_folder["unpacked"]}' && gzip -dc '{result.Folder}/initramfs' | cpio -idm --quiet --no-absolute-filenames 2>/dev/null || [ -e init ]");
        Assert.Equal("this is architekt-agent", await File.ReadAllTextAsync(_folder["unpacked/architekt/architekt-agent"], Cancellation));
        Assert.Equal("/architekt/architekt-init", new FileInfo(_folder["unpacked/init"]).LinkTarget);
        using var json = JsonDocument.Parse(await File.ReadAllBytesAsync(_folder["unpacked/architekt/guest.json"], Cancellation));
        string[] Strings(string name) => [.. json.RootElement.GetProperty(name).EnumerateArray().Select(item => item.GetString()!)];
        Assert.Equal(["/entry", "other"], Strings("command"));
        Assert.Equal(["A=1", "B=3", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/srv"], Strings("environment"));
        Assert.Equal(5, json.RootElement.GetProperty("userId").GetInt32());
        Assert.Equal("named", json.RootElement.GetProperty("hostName").GetString());
        Assert.Equal(["/run/svc", "/run/svc/deep"], json.RootElement.GetProperty("folders").EnumerateArray().Select(item => item.GetProperty("path").GetString()!));
        Assert.Equal(0x5F8, json.RootElement.GetProperty("folders")[0].GetProperty("mode").GetInt32());
        AssertInode(await StatAsync(Path.Combine(result.Folder, "disk"), "/made/here"), "directory", "0755", 0, 0);
    }

    [Fact]
    public async Task NothingToStart_IsRefused()
    {
        var image = OddImage("image");
        var options = FakeParts.Options(_folder["parts"], _folder["out"]) with { EntryPoint = null };
        var error = await Assert.ThrowsAsync<BlueprintException>(() => BlueprintBuilder.BuildAsync(new BlueprintSource(image.Folder), options, null, Cancellation));
        Assert.Contains("/sbin/init", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 2000, 10)]
    [InlineData(0, 3, 30_000_000)]
    [InlineData(200L << 20, 1, 1)]
    public async Task Disk_FitsWhateverIsOnIt_AndLeavesTheRoomThatWasAskedFor(long slack, int count, int size)
    {
        var tar = new TarBuilder();
        var content = new string('x', size);
        for (var index = 0; index < count; index++)
            tar.File($"a-rather-long-name-of-a-file-{index}", content);
        var image = new TestImage(_folder["image"]).AddLayer(tar.Build());
        image.Finish();
        var options = FakeParts.Options(_folder["parts"], _folder["out"]) with { DiskSlackBytes = slack };
        var result = await BlueprintBuilder.BuildAsync(new BlueprintSource(image.Folder), options, null, Cancellation);
        var free = FreeBlocks().Match(await DebugfsAsync(Path.Combine(result.Folder, "disk"), "stats"));
        Assert.InRange(long.Parse(free.Groups[1].Value) * 4096, slack, slack + (slack / 10) + ((long)count * size / 10) + (12 << 20));
    }

    private TestImage OddImage(string name, string content = "content of one")
    {
        var image = new TestImage(_folder[name])
            .AddLayer(
                new TarBuilder().Folder("./", 0x1E8, 3, 4).Folder("dir", 0x1C0, 5, 6).File("dir/one", content, 0x1A4, 1, 2).HardLink("dir/hard", "dir/one")
                    .File("set-id", "x", 0xDED, 100_000, 70_000).Link("link", "/else/where").File("hidden").File("odd \"name\" <1>", "odd").Build(), "zstd")
            .AddLayer(
                [
                    .. PaxHeader.FileWithAttributes("with-attributes", ("security.capability", _capability), ("user.note", "text"u8.ToArray())),
                    .. new TarBuilder().Device("dir/null", TarEntryType.CharacterDevice, 1, 3).HardLink("null-too", "dir/null")
                        .Device("dir/disk", TarEntryType.BlockDevice, 259, 60_000).Fifo("dir/fifo").File(".wh.hidden").Build(),
                ]);
        image.Finish();
        return image;
    }

    private Task<BlueprintResult> BuildAsync(TestImage image, string output) =>
        BlueprintBuilder.BuildAsync(new BlueprintSource(image.Folder), FakeParts.Options(_folder["parts"], _folder[output]), null, Cancellation);

    private static Task<string> StatAsync(string disk, string path) => DebugfsAsync(disk, $"stat \"{path}\"");

    // What it complains about is on standard error.
    private static async Task<string> DebugfsAsync(string disk, string request)
    {
        var result = await Command.RunCheckedAsync("debugfs", ["-R", request, disk], null, Cancellation);
        return result.StandardOutput + string.Join('\n', result.StandardError.Split('\n').Skip(1));
    }

    private static void AssertInode(string stat, string type, string mode, int user, int group, int? links = null)
    {
        var match = Inode().Match(stat);
        Assert.True(match.Success, stat);
        Assert.Equal((type, mode, $"{user}", $"{group}"), (match.Groups[1].Value, match.Groups[2].Value, match.Groups[3].Value, match.Groups[4].Value));
        if (links is not null)
            Assert.Contains($"Links: {links} ", stat, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"Type: (.*?)\s+Mode:\s+(\d+)[\s\S]*?User:\s+(\d+)\s+Group:\s+(\d+)")]
    private static partial Regex Inode();

    [GeneratedRegex(@"Free blocks:\s+(\d+)")]
    private static partial Regex FreeBlocks();

    private sealed class Reporter(Action<BlueprintPhase> report) : IProgress<BlueprintProgress>
    {
        public void Report(BlueprintProgress value) => report(value.Phase);
    }
}
