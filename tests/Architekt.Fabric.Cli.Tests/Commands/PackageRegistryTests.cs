using System.Text.Json;
using Architekt.Fabric.Cli.Tests.Fakes;

namespace Architekt.Fabric.Cli.Tests.Commands;

public sealed class PackageRegistryTests : IDisposable
{
    private readonly TestCli _cli = new();

    public void Dispose() => _cli.Dispose();

    [Theory]
    [InlineData("package tag redis redis:7.2 --host host-a", "tag redis as redis:7.2 on host-a move=False")]
    [InlineData("package tag sha256-abcdef redis:7.2 --host host-a --move", "tag sha256-abcdef as redis:7.2 on host-a move=True")]
    [InlineData("package untag redis:7.2 --host host-a", "untag redis:7.2 on host-a")]
    [InlineData("package pull redis:7.2 --host host-b", "pull redis:7.2 as ? to host-b")]
    [InlineData("package pull abcdef123456 --host host-b --name redis", "pull abcdef123456 as redis to host-b")]
    [InlineData("package delete redis --host host-a", "delete redis on host-a")]
    [InlineData("package gc --host host-a", "collect host-a")]
    [InlineData("package export redis /tmp/r.ark --host host-a", "export redis of host-a to /tmp/r.ark level=3 overwrite=False")]
    [InlineData("package export redis /tmp/r.ark --host host-a --level 19 --overwrite", "export redis of host-a to /tmp/r.ark level=19 overwrite=True")]
    public async Task Command_AsGiven_AsksTheFabric(string line, string call)
    {
        Assert.Equal(ExitCode.Ok, await _cli.RunAsync(line.Split(' ')));
        Assert.Equal([call], _cli.Fabric.Calls);
        Assert.NotEmpty(_cli.Out);
    }

    [Theory]
    [InlineData("package tag redis Redis:7 --host host-a")]
    [InlineData("package tag redis sha256-abcdef --host host-a")]
    [InlineData("package tag redis redis:7")]
    [InlineData("package pull ../redis --host host-a")]
    [InlineData("package delete redis")]
    [InlineData("package export redis /tmp/r.ark --level 23")]
    public async Task Command_Wrong_IsUsageAndAsksNobody(string line)
    {
        Assert.Equal(ExitCode.Usage, await _cli.RunAsync(line.Split(' ')));
        Assert.Empty(_cli.Fabric.Calls);
    }

    [Fact]
    public async Task Export_WithoutAHost_TakesOneThatHasIt()
    {
        _cli.Fabric.Hosts.AddRange([Samples.Host("host-a"), Samples.Host("host-b")]);
        _cli.Fabric.Packages.Add(Samples.Package("redis", "host-b"));

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("package", "export", "redis", "/tmp/r.ark", "-q"));

        Assert.Equal("/tmp/r.ark\n", _cli.Out);
        Assert.StartsWith("export redis of host-b", Assert.Single(_cli.Fabric.Calls));
    }

    [Fact]
    public async Task Gc_AllHosts_ReportsEachThatAnswers()
    {
        _cli.Fabric.Hosts.AddRange([Samples.Host("host-a"), Samples.Host("host-b"), Samples.Host("host-c", HostState.Unreachable)]);

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("package", "gc", "-o", "json"));

        var json = JsonDocument.Parse(_cli.Out).RootElement;
        Assert.Equal(["host-a", "host-b"], json.EnumerateArray().Select(cleaning => cleaning.GetProperty("host").GetString()));
        Assert.Equal(3 << 20, json[0].GetProperty("bytes").GetInt64());
    }

    [Fact]
    public async Task Delete_InUse_ExitsWithConflict()
    {
        _cli.Fabric.Fault = FabricException.Conflict("The package is used.");

        Assert.Equal(ExitCode.Conflict, await _cli.RunAsync("package", "delete", "redis", "--host", "host-a"));
    }
}
