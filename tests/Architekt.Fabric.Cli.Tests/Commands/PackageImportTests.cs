using Architekt.Fabric.Cli.Tests.Fakes;

namespace Architekt.Fabric.Cli.Tests.Commands;

public sealed class PackageImportTests : IDisposable
{
    private readonly PackageFolder _package = new("redis-guest");
    private readonly TestCli _cli = new();

    public PackageImportTests() => _cli.Fabric.Packages.Add(Samples.Package());

    public void Dispose()
    {
        _cli.Dispose();
        _package.Dispose();
    }

    [Fact]
    public async Task Import_FolderOfThisMachine_IsSent()
    {
        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("package", "import", _package.Path + "/", "--host", "host-a"));

        Assert.Equal([$"upload {_package.Path}/ as redis-guest to host-a"], _cli.Fabric.Calls);
    }

    [Fact]
    public async Task Import_ArchiveOfThisMachine_IsSentUnderItsNameOrTheOneThatIsGiven()
    {
        var archive = await _package.ArchiveAsync();

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("package", "import", archive, "--host", "host-a"));
        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("package", "import", archive, "--host", "host-a", "--name", "redis:7"));

        Assert.Equal([$"upload {archive} as guest to host-a", $"upload {archive} as redis:7 to host-a"], _cli.Fabric.Calls);
    }

    [Fact]
    public async Task Import_NothingThereOnThisMachine_Exits3AndSaysHowToTakeItFromTheHost()
    {
        Assert.Equal(ExitCode.NotFound, await _cli.RunAsync("package", "import", _package.Beside("none.ark"), "--host", "host-a"));

        Assert.Equal($"fabric: There is no folder or archive {_package.Beside("none.ark")} on this machine; --on-host takes it from the host itself.\n", _cli.Error);
        Assert.Empty(_cli.Fabric.Calls);
    }

    [Theory]
    [InlineData("/srv/redis-guest/", null, "import /srv/redis-guest/ as redis-guest on host-a")]
    [InlineData("/srv/redis.ark", null, "import /srv/redis.ark as redis on host-a")]
    [InlineData("/srv/x", "guest", "import /srv/x as guest on host-a")]
    public async Task Import_OnHost_IsTakenFromThere(string path, string? name, string call)
    {
        string[] named = name is null ? [] : ["--name", name];

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync(["package", "import", path, "--host", "host-a", "--on-host", .. named]));

        Assert.Equal([call], _cli.Fabric.Calls);
    }
}
