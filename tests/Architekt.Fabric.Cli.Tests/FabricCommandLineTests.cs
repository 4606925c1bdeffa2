using System.Text.Json;
using Architekt.Fabric.Cli.Tests.Fakes;

namespace Architekt.Fabric.Cli.Tests;

public sealed class FabricCommandLineTests : IDisposable
{
    private readonly TestCli _cli = new();

    public void Dispose() => _cli.Dispose();

    [Theory]
    [InlineData("vm run")]
    [InlineData("vm run redis")]
    [InlineData("vm run Redis --package guest")]
    [InlineData("vm run redis --package guest --memory 5X")]
    [InlineData("vm run redis --package guest --vcpus 65")]
    [InlineData("vm run redis --package guest --vcpus two")]
    [InlineData("vm migrate redis")]
    [InlineData("vm migrate redis --to host_b")]
    [InlineData("vm migrate redis --to host-b --pause-budget 5")]
    [InlineData("vm migrate redis --to host-b --pause-budget 0.5ms")]
    [InlineData("vm migrate redis --to host-b --pause-budget 2m")]
    [InlineData("vm migrate redis --to host-b --max-rounds 0")]
    [InlineData("vm migrate redis --to host-b --connections 17")]
    [InlineData("vm migrate redis --to host-b --bandwidth 1K")]
    [InlineData("vm migrate redis --to host-b --timeout 30d")]
    [InlineData("vm wait redis --for unknown")]
    [InlineData("vm wait redis")]
    [InlineData("vm logs redis --tail -1")]
    [InlineData("vm list -o xml")]
    [InlineData("vm list extra")]
    [InlineData("events --after x")]
    [InlineData("package import /srv/guest")]
    [InlineData("package import / --host host-a")]
    [InlineData("package import relative --host host-a --on-host")]
    [InlineData("package import /srv/Bad_Name --host host-a --on-host")]
    [InlineData("blueprint build image")]
    [InlineData("blueprint build image /tmp/Bad-Name")]
    [InlineData("blueprint build image out --name redis:7")]
    [InlineData("blueprint build image out --memory 3M")]
    [InlineData("blueprint build image out --vcpus 0")]
    [InlineData("blueprint build image out --env NAME")]
    [InlineData("blueprint build image out --sysctl =1")]
    [InlineData("blueprint build image out --entrypoint [\"a\",1]")]
    [InlineData("blueprint build image out --entrypoint [\"a\"")]
    [InlineData("blueprint build image out --machine pc")]
    [InlineData("blueprint build image out --ready 6379")]
    [InlineData("blueprint build image out --created-at yesterday")]
    [InlineData("blueprint build image out --kernel-modules /lib/modules/1")]
    [InlineData("blueprint build image out --kernel a.deb --kernel linux-image")]
    [InlineData("blueprint build image out --kernel linux-image --kernel-modules /lib/modules/1")]
    [InlineData("run")]
    [InlineData("run guest more")]
    [InlineData("run guest -p")]
    [InlineData("run guest --fill sometimes")]
    [InlineData("run guest --accelerator xen")]
    [InlineData("run guest --name Redis")]
    [InlineData("operation show")]
    [InlineData("completion tcsh")]
    [InlineData("vm")]
    [InlineData("nonsense")]
    [InlineData("")]
    public async Task RunAsync_WrongCommandLine_Exits2WithoutAskingTheFabric(string line)
    {
        var code = await _cli.RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal(ExitCode.Usage, code);
        Assert.NotEqual("", _cli.Error);
        Assert.Equal("", _cli.Out);
        Assert.Null(_cli.Options);
    }

    [Fact]
    public async Task RunAsync_MistypedCommand_SuggestsTheRightOne()
    {
        await _cli.RunAsync("vm", "migrat", "redis");

        Assert.Contains("migrate", _cli.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Usage:", _cli.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_WrongCommandLineWithJson_WritesOneErrorObject()
    {
        Assert.Equal(ExitCode.Usage, await _cli.RunAsync("vm", "wait", "redis", "-o", "json"));

        Assert.Equal(
            """{"error":{"code":"invalidArgument","message":"Option '--for' is required.","isTransient":false}}""" + "\n", _cli.Error);
    }

    [Fact]
    public async Task RunAsync_ErrorWithJson_WritesOneErrorObject()
    {
        _cli.Fabric.Fault = new FabricException(FabricErrorCode.AlreadyExists, "A VM named 'redis' exists.", isTransient: false);

        Assert.Equal(ExitCode.Conflict, await _cli.RunAsync("vm", "run", "redis", "--package", "guest", "-o", "json"));

        Assert.Equal("", _cli.Out);
        Assert.Equal("""{"error":{"code":"alreadyExists","message":"A VM named 'redis' exists.","isTransient":false}}""" + "\n", _cli.Error);
    }

    [Fact]
    public async Task RunAsync_FabricUnreachable_Exits6WithOneSentence()
    {
        _cli.ConnectFault = FabricException.Unavailable("The fabric cannot be reached:\n 127.0.0.1:30000 (connection refused).");

        Assert.Equal(ExitCode.Unreachable, await _cli.RunAsync("host", "list"));

        Assert.Equal("fabric: The fabric cannot be reached:  127.0.0.1:30000 (connection refused).\n", _cli.Error);
    }

    [Fact]
    public async Task RunAsync_OwnFault_SaysItInOneSentence()
    {
        _cli.Fabric.Fault = new InvalidOperationException("a bug");

        Assert.Equal(ExitCode.Failed, await _cli.RunAsync("vm", "list"));

        Assert.Equal("fabric: The command itself failed (InvalidOperationException: a bug); set FABRIC_DEBUG=1 to see where.\n", _cli.Error);
    }

    [Fact]
    public async Task RunAsync_Debug_ShowsTheStack()
    {
        _cli.Environment["FABRIC_DEBUG"] = "1";
        _cli.Fabric.Fault = FabricException.Conflict("No.");

        await _cli.RunAsync("vm", "list");

        Assert.Contains("   at ", _cli.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_Interrupted_Exits7()
    {
        _cli.Fabric.Vms.Add(Samples.Vm());
        _cli.Interrupts.Signal();
        _cli.Fabric.Fault = new OperationCanceledException();

        Assert.Equal(ExitCode.Cancelled, await _cli.RunAsync("vm", "list"));
        Assert.Equal("fabric: Interrupted.\n", _cli.Error);
    }

    [Fact]
    public void RunAsync_SecondInterrupt_EndsTheProcess()
    {
        _cli.Interrupts.Signal();
        Assert.Equal(0, _cli.Exits);

        _cli.Interrupts.Signal();

        Assert.Equal(1, _cli.Exits);
    }

    [Fact]
    public async Task RunAsync_GatewayOptions_WinOverTheEnvironment()
    {
        _cli.Environment["FABRIC_GATEWAYS"] = "a:1, b:2";

        await _cli.RunAsync("vm", "list", "--gateway", "c:3", "--gateway", "d:4");

        Assert.Equal(["c:3", "d:4"], _cli.Options!.Gateways);
    }

    [Fact]
    public async Task RunAsync_GatewaysInTheEnvironment_AreUsed()
    {
        _cli.Environment["FABRIC_GATEWAYS"] = "a:1, b:2,";
        _cli.Environment["FABRIC_CLUSTER_ID"] = "lab";

        await _cli.RunAsync("vm", "list");

        Assert.Equal(["a:1", "b:2"], _cli.Options!.Gateways);
        Assert.Equal("lab", _cli.Options.ClusterId);
    }

    [Theory]
    [InlineData(300, 4200)]
    [InlineData(4000, 1000)]
    public async Task RunAsync_NoConnectTimeoutGiven_StaysWithinFiveSecondsOfTheStart(int uptimeMs, int timeoutMs)
    {
        _cli.Uptime = TimeSpan.FromMilliseconds(uptimeMs);

        await _cli.RunAsync("vm", "list");

        Assert.Equal(timeoutMs, _cli.Options!.ConnectTimeout.TotalMilliseconds);
    }

    [Fact]
    public async Task RunAsync_ConnectTimeoutInTheEnvironment_IsUsed()
    {
        _cli.Environment["FABRIC_CONNECT_TIMEOUT"] = "20s";

        await _cli.RunAsync("vm", "list");

        Assert.Equal(TimeSpan.FromSeconds(20), _cli.Options!.ConnectTimeout);
    }

    [Fact]
    public async Task RunAsync_ConnectTimeoutIsNoDuration_Exits2()
    {
        _cli.Environment["FABRIC_CONNECT_TIMEOUT"] = "20";

        Assert.Equal(ExitCode.Usage, await _cli.RunAsync("vm", "list"));
    }

    [Fact]
    public async Task RunAsync_Version_PrintsANumber()
    {
        // System.CommandLine prints the version of the process, which is the tests' here; that it is printed is what matters.
        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("--version"));
        Assert.Matches("^[0-9]+\\.[0-9]+\\.[0-9]+", _cli.Out);
    }

    [Fact]
    public async Task RunAsync_Help_GoesToStandardOutput()
    {
        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("vm", "migrate", "--help"));
        Assert.Contains("--pause-budget", _cli.Out, StringComparison.Ordinal);
        Assert.Equal("", _cli.Error);
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task RunAsync_Completion_PrintsAScript(string shell)
    {
        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("completion", shell));
        Assert.Contains("[suggest:", _cli.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_Suggest_GivesCommands()
    {
        await _cli.RunAsync("[suggest:11]", "fabric vm m");

        Assert.Equal("migrate", _cli.Out.Trim());
    }

    [Theory]
    [InlineData("host list")]
    [InlineData("package list")]
    [InlineData("package show guest")]
    [InlineData("package import /srv/guest --host host-a --on-host")]
    [InlineData("vm list")]
    [InlineData("vm show redis")]
    [InlineData("vm run redis --package guest")]
    [InlineData("vm wait redis --for running")]
    [InlineData("vm stop redis --force")]
    [InlineData("vm delete redis")]
    [InlineData("vm logs redis")]
    [InlineData("vm events redis")]
    [InlineData("vm migrate redis --to host-b")]
    [InlineData("vm migrate redis --to host-b --detach")]
    [InlineData("events")]
    [InlineData("operation list")]
    [InlineData("operation show op-1")]
    [InlineData("operation watch op-1")]
    [InlineData("operation cancel op-1")]
    public async Task RunAsync_Json_IsOneDocumentAndNothingElse(string line)
    {
        Fill();

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync([.. line.Split(' '), "-o", "json"]));

        Assert.Equal("", _cli.Error);
        Assert.Equal(1, _cli.Out.Count(character => character == '\n'));
        using var document = JsonDocument.Parse(_cli.Out);
        var isList = line.Contains("list", StringComparison.Ordinal) || line.Contains("events", StringComparison.Ordinal) || line.Contains("logs", StringComparison.Ordinal);
        Assert.Equal(isList ? JsonValueKind.Array : JsonValueKind.Object, document.RootElement.ValueKind);
    }

    [Theory]
    [InlineData("host list", "host-a")]
    [InlineData("package list", "guest")]
    [InlineData("package show guest", "guest")]
    [InlineData("vm list", "redis")]
    [InlineData("vm show redis", "redis")]
    [InlineData("vm run new --package guest", "new")]
    [InlineData("vm delete redis", "redis")]
    [InlineData("vm migrate redis --to host-b", "op-1")]
    [InlineData("vm migrate redis --to host-b --detach", "op-1")]
    [InlineData("events", "1")]
    [InlineData("operation list", "op-1")]
    [InlineData("operation watch op-1", "op-1")]
    [InlineData("operation cancel op-1", "op-1")]
    public async Task RunAsync_Quiet_PrintsTheNameOnly(string line, string name)
    {
        Fill();

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync([.. line.Split(' '), "-q"]));

        Assert.Equal((name + "\n", ""), (_cli.Out, _cli.Error));
    }

    private void Fill()
    {
        _cli.Fabric.Hosts.Add(Samples.Host("host-a"));
        _cli.Fabric.Packages.Add(Samples.Package());
        _cli.Fabric.Vms.Add(Samples.Vm());
        _cli.Fabric.Operations.Add(Samples.Operation());
        _cli.Fabric.Events.Add(Samples.Event(1));
        _cli.Fabric.Log = "booted\n"u8.ToArray();
        _cli.Fabric.Reports.Add(Samples.Progress(1));
        _cli.Fabric.Reports.Add(Samples.Progress(2, MigrationPhase.Done, result: Samples.Success()));
    }
}
