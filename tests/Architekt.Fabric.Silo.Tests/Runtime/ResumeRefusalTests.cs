using Architekt.Fabric.Grains;
using Architekt.Fabric.Packages;
using Architekt.Fabric.Qemu;
using Architekt.Fabric.Silo.Runtime;
using Architekt.Fabric.Silo.Tests.Support;

namespace Architekt.Fabric.Silo.Tests.Runtime;

/// <summary>A device state can only be loaded into the machine that saved it: whatever would make another one is refused before anything is started.</summary>
public sealed class ResumeRefusalTests : IAsyncDisposable
{
    private const string Card = "52:54:00:12:34:56";
    private readonly TestHost _folder = new();
    private readonly RecordingVmStore _vms = new(1) { Owned = [] };
    private RuntimeHost? _host;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string, FabricErrorCode, string> Refusals => new()
    {
        { "kvm", FabricErrorCode.Unsupported, "was made under kvm, and host 'host-a' runs guests under tcg" },
        { "newer-qemu", FabricErrorCode.Unsupported, "was made by QEMU 9.1.0, and host 'host-a' has the older 7.2.22" },
        { "older-microvm", FabricErrorCode.Unsupported, "was made by QEMU 7.1.0, and host 'host-a' has 7.2.22, whose microvm is another machine" },
        { "cpu", FabricErrorCode.Unsupported, "needs the CPU features amx-tile and avx512f, which host 'host-a' does not have" },
        { "memory", FabricErrorCode.InvalidArgument, "has 2 MiB of RAM, and its VMs cannot have another size" },
        { "vcpus", FabricErrorCode.InvalidArgument, "has 1 virtual CPUs, and its VMs cannot have 2" },
        { "kernel-arguments", FabricErrorCode.InvalidArgument, "its kernel read its command line when it booted" },
        { "no-network", FabricErrorCode.InvalidArgument, "was made with a network card, and its VMs cannot be without one" },
        { "no-bridge", FabricErrorCode.Unsupported, "Host 'host-a' has no bridge for 'vm' to join" },
        { "other-card", FabricErrorCode.InvalidArgument, $"was made without a network card, and its VMs cannot have the address {Card}" },
        { "address-without-card", FabricErrorCode.InvalidArgument, "'vm' has no network card that could have the address 10.0.0.5/24" },
    };

    public async ValueTask DisposeAsync()
    {
        if (_host is not null) await _host.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task DescribeMachine_AnotherMachineThanThePackages_IsRefusedWithTheReasonAndNothingIsStarted(string difference, FabricErrorCode code, string reason)
    {
        var host = await HostAsync(change: difference switch
        {
            "kvm" => manifest => manifest with { Machine = manifest.Machine! with { Accelerator = "kvm" } },
            "newer-qemu" => manifest => manifest with { QemuVersion = "9.1.0" },
            "older-microvm" => manifest => manifest with { QemuVersion = "7.1.0", MachineType = PackageMachineType.Microvm },
            "cpu" => static manifest => manifest with { CpuFeatures = ["sse2", "avx512f", "lm", "amx-tile"] },
            "no-network" or "no-bridge" => manifest => manifest with { Machine = manifest.Machine! with { Mac = Card } },
            _ => static manifest => manifest,
        });
        var spec = new VmSpec("vm", "warm", HasNetwork: difference == "no-bridge");
        spec = difference switch
        {
            "memory" => spec with { MemoryBytes = 4 << 20 },
            "vcpus" => spec with { Vcpus = 2 },
            "kernel-arguments" => spec with { KernelArguments = "quiet" },
            "other-card" => spec with { Mac = Card },
            "address-without-card" => spec with { Address = "10.0.0.5/24" },
            _ => spec,
        };

        var refusal = await Assert.ThrowsAsync<FabricException>(() => host.Runtime.DescribeMachineAsync(spec, Token));

        Assert.Equal(code, refusal.Code);
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
        Assert.Empty(host.Peers.Peers);
        Assert.Equal(0, host.Runtime.Describe().MemoryUsedBytes);
        Assert.Empty(host.Runtime.ListDisks());
    }

    [Fact]
    public async Task DescribeMachine_OfAPackageByAnOlderQemu_IsThePackagesMachineAndNotTheHosts()
    {
        var host = await HostAsync(manifest => manifest with
        {
            QemuVersion = "7.1.3",
            Machine = manifest.Machine! with { CpuModel = "EPYC" },
        });

        var machine = await host.Runtime.DescribeMachineAsync(new VmSpec("vm", "warm", Vcpus: 1, MemoryBytes: WarmPackage.MemoryBytes, HasNetwork: false), Token);

        Assert.Equal(("q35", "7.1.3", "EPYC", true), (machine.MachineType, machine.QemuVersion, machine.CpuModel, machine.HasMemory));
        Assert.Equal("7.1", QemuMachines.VersionOf(machine.MachineType, machine.QemuVersion));
    }

    [Fact]
    public async Task DescribeMachine_OfAPackageThatSaysWhatItsGuestHasSeen_CarriesThatAndNotWhatTheHostHas()
    {
        var host = await HostAsync(manifest => manifest with { CpuFeatures = ["lm", "sse2"] });

        var machine = await host.Runtime.DescribeMachineAsync(new VmSpec("vm", "warm", HasNetwork: false), Token);

        Assert.Equal(["lm", "sse2"], machine.CpuFeatures!);
        Assert.Equal(["sse4.1"], CpuFeatures.Unseen(machine.CpuFeatures!, RuntimeHost.Facts.CpuFeatures));
    }

    [Theory]
    [InlineData("lm sse2", false, null)]
    [InlineData("", false, null)]
    [InlineData("lm avx512f", true, null)]
    [InlineData("lm avx512f", false, "'vm' has found the CPU feature avx512f where it runs, and host 'host-a' does not have that: choose a host whose CPU has at least the same")]
    public async Task CheckDestination_GuestHasSeenFeatures_MustFindThemUnlessItBootsAnew(string seen, bool isStopped, string? reason)
    {
        var host = await HostAsync(static manifest => manifest);
        var machine = Rows.Vm("vm", "host-b", 1).Machine with { CpuFeatures = seen.Split(' ', StringSplitOptions.RemoveEmptyEntries) };

        var reasons = await host.Runtime.CheckDestinationAsync(
            new MigrationPlan("op", "vm", "host-b", "host-a", 1, machine, new MigrationOptions(), DateTimeOffset.UnixEpoch, isStopped), Token);

        Assert.Equal(reason is null ? [] : [reason], reasons);
    }

    private async Task<RuntimeHost> HostAsync(Func<PackageManifest, PackageManifest> change)
    {
        var source = await WarmPackage.WriteAsync(_folder["package"], change);
        _host = await RuntimeHost.CreateAsync(
            new FabricOptions { HostName = "host-a", StateFolder = _folder["state"], RuntimeFolder = _folder["run"] }, _vms);
        await _host.Store.ImportAsync(source, null, null, Token);
        return _host;
    }
}
