using Architekt.Fabric.Cli.Tests.Fakes;

namespace Architekt.Fabric.Cli.Tests.Commands;

public sealed class ListTests : IDisposable
{
    private readonly TestCli _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task HostList_NoTerminal_IsPlainColumns()
    {
        _cli.Fabric.Hosts.Add(Samples.Host("host-a"));
        _cli.Fabric.Hosts.Add(Samples.Host("host-b", HostState.Unreachable) with { LiveMigration = false, Kernel = "5.10.0-28-amd64" });

        await _cli.RunAsync("host", "list");

        Assert.Equal(
            """
            NAME    STATE        ADDRESS   VCPUS  MEMORY   USED  VMS  ACCEL  QEMU    KERNEL           LIVE  SEEN
            host-a  ready        10.0.0.1      8  32 GiB  1 GiB    2  kvm    7.2.22  6.18.0           yes   5m
            host-b  unreachable  10.0.0.1      8  32 GiB  1 GiB    2  kvm    7.2.22  5.10.0-28-amd64  no    5m

            """,
            _cli.Out);
    }

    [Fact]
    public async Task VmList_NoTerminal_IsPlainColumns()
    {
        _cli.Fabric.Vms.Add(Samples.Vm());
        _cli.Fabric.Vms.Add(Samples.Vm("a-longer-name", VmState.Booting, "host-b") with { Operation = "op-1", Epoch = 12 });

        await _cli.RunAsync("vm", "list");

        Assert.Equal(
            """
            NAME           STATE    HOST    EPOCH  PACKAGE  VCPUS   MEMORY  OPERATION  AGE
            redis          running  host-a      1  guest        1  256 MiB  -          3h
            a-longer-name  booting  host-b     12  guest        1  256 MiB  op-1       3h

            """,
            _cli.Out);
    }

    [Fact]
    public async Task VmList_Empty_IsTheHeaderAlone()
    {
        await _cli.RunAsync("vm", "list");

        Assert.Equal("NAME  STATE  HOST  EPOCH  PACKAGE  VCPUS  MEMORY  OPERATION  AGE\n", _cli.Out);
    }

    [Fact]
    public async Task VmList_EmptyWithJson_IsAnEmptyArray()
    {
        await _cli.RunAsync("vm", "list", "-o", "json");

        Assert.Equal("[]\n", _cli.Out);
    }

    [Fact]
    public async Task VmList_Json_IsCamelCase()
    {
        _cli.Fabric.Vms.Add(Samples.Vm(state: VmState.Booting));

        await _cli.RunAsync("vm", "list", "-o", "json");

        Assert.Equal(
            "[{\"name\":\"redis\",\"state\":\"booting\",\"reason\":null,\"host\":\"host-a\",\"epoch\":1,\"package\":\"guest\",\"packageDigest\":\"sha256-" +
            new string('a', 64) + "\",\"vcpus\":1,\"memoryBytes\":268435456,\"mac\":\"52:54:00:00:00:01\",\"operation\":null," +
            "\"createdAt\":\"2026-01-02T00:04:05+00:00\",\"ownedSince\":\"2026-01-02T00:04:05+00:00\",\"usage\":null," +
            "\"restart\":\"never\",\"availability\":\"normal\"}]\n",
            _cli.Out);
    }

    [Fact]
    public async Task VmList_Terminal_IsATableWithColours()
    {
        _cli.IsTerminal = true;
        _cli.Fabric.Vms.Add(Samples.Vm());

        await _cli.RunAsync("vm", "list");

        Assert.Contains("╭", _cli.Out, StringComparison.Ordinal);
        Assert.Contains("\u001b[32mrunning", _cli.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VmList_TerminalWithNoColor_HasNoColours()
    {
        _cli.IsTerminal = true;
        _cli.Environment["NO_COLOR"] = "1";
        _cli.Fabric.Vms.Add(Samples.Vm());

        await _cli.RunAsync("vm", "list");

        Assert.Contains("╭", _cli.Out, StringComparison.Ordinal);
        Assert.DoesNotMatch("\u001b\\[3[0-9]", _cli.Out);
    }

    [Fact]
    public async Task VmList_TerminalWithJson_IsIndented()
    {
        _cli.IsTerminal = true;
        _cli.Fabric.Vms.Add(Samples.Vm());

        await _cli.RunAsync("vm", "list", "-o", "json");

        Assert.Contains("\n    \"name\": \"redis\",", _cli.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VmShow_ControlCharactersInAReason_DoNotReachTheTerminal()
    {
        _cli.Fabric.Vms.Add(Samples.Vm(state: VmState.Failed) with { Reason = "bad\u001b[2Jthing" });

        await _cli.RunAsync("vm", "show", "redis");

        Assert.DoesNotContain('\u001b', _cli.Out);
        Assert.Contains("Reason:       bad [2Jthing", _cli.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VmShow_UnknownVm_Exits3()
    {
        Assert.Equal(ExitCode.NotFound, await _cli.RunAsync("vm", "show", "nobody"));
        Assert.Equal("fabric: There is no VM named 'nobody'.\n", _cli.Error);
    }

    [Fact]
    public async Task PackageList_HostDoesNotAnswer_SaysSoAndShowsTheRest()
    {
        _cli.Fabric.Hosts.Add(Samples.Host("host-a"));
        _cli.Fabric.Hosts.Add(Samples.Host("host-b", HostState.Unreachable));
        _cli.Fabric.Packages.Add(Samples.Package());
        _cli.Fabric.Packages.Add(Samples.Package(host: "host-b"));

        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("package", "list"));

        Assert.Equal(
            """
            NAME   HOST    KIND       ARCH    MACHINE  VCPUS   MEMORY     SIZE  DIGEST               AGE
            guest  host-a  blueprint  x86_64  q35          1  256 MiB  150 MiB  sha256-aaaaaaaaaaaa  2d

            """,
            _cli.Out);
        Assert.Equal("fabric: Host 'host-b' does not answer; its packages are left out.\n", _cli.Error);
    }

    [Fact]
    public async Task PackageShow_OnTwoHosts_ShowsItOnce()
    {
        _cli.Fabric.Hosts.Add(Samples.Host("host-a"));
        _cli.Fabric.Hosts.Add(Samples.Host("host-b"));
        _cli.Fabric.Packages.Add(Samples.Package());
        _cli.Fabric.Packages.Add(Samples.Package(host: "host-b"));

        await _cli.RunAsync("package", "show", "guest");

        Assert.Contains("Hosts:         host-a, host-b\n", _cli.Out, StringComparison.Ordinal);
        Assert.Contains("Entries:       kernel (10 MiB), disk (140 MiB)\n", _cli.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PackageShow_NotTheSameEverywhere_Exits4()
    {
        _cli.Fabric.Hosts.Add(Samples.Host("host-a"));
        _cli.Fabric.Hosts.Add(Samples.Host("host-b"));
        _cli.Fabric.Packages.Add(Samples.Package());
        _cli.Fabric.Packages.Add(Samples.Package(host: "host-b", digest: 'b'));

        Assert.Equal(ExitCode.Conflict, await _cli.RunAsync("package", "show", "guest"));
        Assert.Equal(ExitCode.Ok, await _cli.RunAsync("package", "show", "guest", "--host", "host-b"));
    }

    [Fact]
    public async Task PackageShow_NowhereToBeFound_Exits3() =>
        Assert.Equal(ExitCode.NotFound, await _cli.RunAsync("package", "show", "guest", "--host", "host-a"));

    [Fact]
    public async Task OperationList_Options_ReachTheFabric()
    {
        _cli.Fabric.Operations.Add(Samples.Operation());

        await _cli.RunAsync("operation", "list", "--vm", "redis", "--limit", "7");

        Assert.Equal(["operations vm=redis limit=7"], _cli.Fabric.Calls);
        Assert.Equal(
            """
            ID    KIND     VM     FROM    TO      EPOCH  PHASE  OUTCOME  AGE
            op-1  migrate  redis  host-a  host-b      2  copy   running  30s

            """,
            _cli.Out);
    }
}
