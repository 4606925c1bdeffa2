using System.Text.Json;
using Architekt.Fabric.Cli.Tests.Fakes;

namespace Architekt.Fabric.Cli.Tests.Commands;

public sealed class PackageFileTests : IDisposable
{
    private readonly PackageFolder _package = new();
    private readonly TestCli _cli = new() { ConnectFault = FabricException.Unavailable("These commands need no fabric.") };

    public void Dispose()
    {
        _cli.Dispose();
        _package.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Inspect_FolderOrArchive_ShowsEveryField(bool isArchive)
    {
        var path = isArchive ? await _package.ArchiveAsync() : _package.Path;

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("package", "inspect", path));

        foreach (var shown in new[]
        {
            path, "Format:        1", "Name:          guest", "sha256-", "blueprint", "x86_64", "q35", "vCPUs:         2", "64 MiB", "console=ttyS0", "org.architekt.agent",
            "1970-01-01T00:00:00Z", "team=cache", "192 KiB", "kernel", "initramfs", "disk",
        })
            Assert.Contains(shown, _cli.Out);
    }

    [Fact]
    public async Task Inspect_Json_HasTheStoredSizeOfEachEntry()
    {
        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("package", "inspect", await _package.ArchiveAsync(), "-o", "json"));

        var json = JsonDocument.Parse(_cli.Out).RootElement;
        Assert.True(json.GetProperty("isArchive").GetBoolean());
        Assert.Equal(3, json.GetProperty("entries").GetArrayLength());
        foreach (var entry in json.GetProperty("entries").EnumerateArray())
        {
            Assert.Equal(65536, entry.GetProperty("sizeBytes").GetInt64());
            Assert.InRange(entry.GetProperty("storedBytes").GetInt64(), 8192, 9000);
        }
    }

    [Fact]
    public async Task Inspect_EntryOfAnotherSize_IsRefusedWithTheReason()
    {
        File.AppendAllText(_package["disk"], "more");

        Assert.Equal(ExitCode.Failed, await _cli.RunAsync("package", "inspect", _package.Path));
        Assert.Contains("has 65540 bytes, but the manifest says 65536", _cli.Error);
        Assert.Empty(_cli.Out);
    }

    [Fact]
    public async Task Inspect_NewerFormat_ExitsWithConflict()
    {
        File.WriteAllText(_package["manifest.json"], File.ReadAllText(_package["manifest.json"]).Replace("\"formatVersion\": 1", "\"formatVersion\": 99"));

        Assert.Equal(ExitCode.Conflict, await _cli.RunAsync("package", "inspect", _package.Path));
        Assert.Contains("format version 99", _cli.Error);
    }

    [Fact]
    public async Task Inspect_Nothing_ExitsWithNotFound() =>
        Assert.Equal(ExitCode.NotFound, await _cli.RunAsync("package", "inspect", _package.Beside("none.ark")));

    [Fact]
    public async Task Verify_Whole_SaysSo()
    {
        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("package", "verify", _package.Path));
        Assert.Contains("is what its manifest says: sha256-", _cli.Out);
    }

    [Fact]
    public async Task Verify_DamagedEntry_FailsAndNamesIt()
    {
        _package.Damage("disk");

        Assert.Equal(ExitCode.Failed, await _cli.RunAsync("package", "verify", _package.Path));
        Assert.Contains("The entry 'disk'", _cli.Error);
    }

    [Fact]
    public async Task Verify_TruncatedArchive_Fails()
    {
        var path = await _package.ArchiveAsync();
        using (var file = File.OpenWrite(path))
            file.SetLength(file.Length / 2);

        Assert.Equal(ExitCode.Failed, await _cli.RunAsync("package", "verify", path));
        Assert.Contains("cut off", _cli.Error);
    }

    [Fact]
    public async Task Diff_SameContentInFolderAndArchive_IsEqual()
    {
        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("package", "diff", _package.Path, await _package.ArchiveAsync(), "-o", "json"));
        Assert.True(JsonDocument.Parse(_cli.Out).RootElement.GetProperty("isEqual").GetBoolean());
    }

    [Fact]
    public async Task Diff_OtherContent_CountsBlocks()
    {
        using var other = new PackageFolder("other", seed: 2);

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("package", "diff", _package.Path, other.Path));

        Assert.Contains("name", _cli.Out);
        Assert.Matches(@"disk\s+64 KiB\s+64 KiB\s+16\s+2\s", _cli.Out);
    }
}
