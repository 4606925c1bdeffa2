using Architekt.Fabric.Cli.Tests.Fakes;

namespace Architekt.Fabric.Cli.Tests.Commands;

/// <summary>What is refused before anything runs; the rest is in Architekt.Fabric.Runner.Tests.</summary>
public sealed class RunTests : IDisposable
{
    private readonly PackageFolder _package = new();
    private readonly TestCli _cli = new() { ConnectFault = FabricException.Unavailable("This command needs no fabric.") };

    private string State => _package.Beside("state");

    public void Dispose()
    {
        _cli.Dispose();
        _package.Dispose();
    }

    [Fact]
    public async Task Run_NoPeer_SaysWhereItWasLookedForAndWhatToDo()
    {
        _cli.Environment["FABRIC_PEER"] = "/nowhere/architekt-peer";

        Assert.Equal(ExitCode.Conflict, await _cli.RunAsync("run", _package.Path, "--state", State));

        Assert.Matches("^fabric: There is no peer at /nowhere/architekt-peer, [^\n]*--peer or FABRIC_PEER.\n$", _cli.Error);
        Assert.False(Directory.Exists(State));
    }

    [Fact]
    public async Task Run_PeerOption_OutranksTheVariable()
    {
        _cli.Environment["FABRIC_PEER"] = "/nowhere/architekt-peer";

        await _cli.RunAsync("run", _package.Path, "--state", State, "--peer", "/elsewhere/architekt-peer");

        Assert.Contains("no peer at /elsewhere/architekt-peer", _cli.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_NoPackage_ExitsWithNotFound() =>
        Assert.Equal(ExitCode.NotFound, await _cli.RunAsync("run", _package.Beside("none.ark"), "--state", State, "--peer", "/bin/true"));

    [Fact]
    public async Task Run_NoPackageAtAll_ExitsWithFailedAndNamesTheFile()
    {
        var path = _package.Beside("text.ark");
        File.WriteAllText(path, "This is no archive.");

        Assert.Equal(ExitCode.Failed, await _cli.RunAsync("run", path, "--state", State, "--peer", "/bin/true", "-o", "json"));

        Assert.StartsWith("{\"error\":{\"code\":\"failed\",", _cli.Error, StringComparison.Ordinal);
        Assert.Contains(path, _cli.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_StateFolderThatCannotBe_IsNamed()
    {
        Assert.Equal(ExitCode.Failed, await _cli.RunAsync("run", _package.Path, "--state", _package["kernel"], "--peer", "/bin/true"));

        Assert.Contains($"The state folder {_package["kernel"]} cannot be made", _cli.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_ConsoleAsJson_IsRefused()
    {
        Assert.Equal(ExitCode.Usage, await _cli.RunAsync("run", _package.Path, "--console", "-o", "json", "--state", State));
        Assert.False(Directory.Exists(State));
    }

    [Theory]
    [InlineData("8080", "is not a forward for --port")]
    [InlineData("8080:80/sctp", "is not a forward for --port")]
    public async Task Run_WrongPort_SaysHowToWriteIt(string port, string expected)
    {
        Assert.Equal(ExitCode.Usage, await _cli.RunAsync("run", _package.Path, "-p", port, "--state", State));
        Assert.Contains($"'{port}' {expected}", _cli.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_OnePortTwice_IsRefused()
    {
        Assert.Equal(ExitCode.Usage, await _cli.RunAsync("run", _package.Path, "-p", "8080:80", "-p", "127.0.0.1:8080:81", "-p", "8080:80/udp", "--state", State));
        Assert.Contains("'127.0.0.1:8080:81' leads a port to a second place", _cli.Error, StringComparison.Ordinal);
    }
}
