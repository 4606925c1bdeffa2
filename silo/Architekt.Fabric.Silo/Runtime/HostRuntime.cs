using Architekt.Fabric.Grains;
using Architekt.Fabric.Network;
using Architekt.Fabric.Packages;
using Architekt.Fabric.Peer;
using Architekt.Fabric.Processes;
using Architekt.Fabric.Qemu;
using Architekt.Fabric.Silo.Peers;
using Microsoft.Extensions.Options;


namespace Architekt.Fabric.Silo.Runtime;

/// <summary>The host beneath the silo: packages, disks, memory and peers.</summary>
internal sealed partial class HostRuntime(
    IOptions<FabricOptions> options,
    HostFacts facts,
    HostPaths paths,
    PackageStore packages,
    PeerSupervisor peers,
    MemoryLedger memory,
    IVmStore vms,
    TimeProvider time) : IHostRuntime
{
    private const long MemoryGranule = 2 << 20;
    private const int MostVcpus = 64;

    private FabricOptions Options => options.Value;

    public string HostName => Options.HostName;

    public HostInfo Describe() => new(
        HostName,
        HostState.Ready,
        Options.AdvertisedAddress,
        facts.Vcpus,
        facts.MemoryBytes,
        facts.MemoryBytes - memory.Free,
        peers.Peers.Count,
        facts.Accelerator,
        facts.QemuVersion.ToString(),
        facts.Kernel,
        facts.TrackingReason is null,
        facts.TrackingReason,
        typeof(HostRuntime).Assembly.GetName().Version?.ToString(3) ?? "0",
        time.GetUtcNow());

    public async Task<MachineDescription> DescribeMachineAsync(VmSpec spec, CancellationToken cancellationToken)
    {
        var package = await RequirePackageAsync(spec.Package, cancellationToken);
        var manifest = package.Manifest;
        var memoryBytes = spec.MemoryBytes ?? manifest.MemoryBytes;
        var vcpus = spec.Vcpus ?? manifest.Vcpus;
        if (memoryBytes <= 0 || memoryBytes % MemoryGranule != 0)
            throw FabricException.Invalid($"{memoryBytes} bytes of memory are not a positive multiple of 2 MiB.");
        if (vcpus is < 1 or > MostVcpus) throw FabricException.Invalid($"{vcpus} virtual CPUs are not between 1 and {MostVcpus}.");
        if (spec.HasNetwork && Options.Bridge is null)
            throw new FabricException(FabricErrorCode.Unsupported, $"Host '{HostName}' has no bridge for '{spec.Name}' to join: set Fabric:Bridge there, or start the VM without a network.");
        memory.Require(memoryBytes);

        return new MachineDescription(
            NameOf(package, spec.Package),
            package.Digest,
            ToWord(manifest.MachineType),
            facts.Accelerator,
            facts.Accelerator == "kvm" ? "host" : "max",
            vcpus,
            memoryBytes,
            string.Join(' ', new[] { manifest.KernelCommandLine, spec.KernelArguments }.Where(static part => !string.IsNullOrWhiteSpace(part))),
            spec.HasNetwork ? ParseMac(spec.Mac, spec.Name) : null,
            facts.QemuVersion.ToString(),
            manifest.AgentPorts.Agent is not null && manifest.AgentPorts.Liveness is not null);
    }

    public async Task StartAsync(VmInstance instance, CancellationToken cancellationToken)
    {
        if (peers.Find(instance.Vm, instance.Epoch) is not null) return;
        var peer = await LaunchAsync(instance.Vm, instance.Epoch, instance.Machine, cancellationToken);
        try
        {
            await peer.Client.BootAsync(instance.Epoch, cancellationToken);
        }
        catch
        {
            await RemoveAsync(instance.Vm, instance.Epoch, CancellationToken.None);
            throw;
        }

        peers.WatchLiveness(peer);
    }

    public async Task StopAsync(string vm, long epoch, bool force, CancellationToken cancellationToken)
    {
        var peer = peers.Require(vm, epoch);
        await peer.Client.StopAsync(epoch, force, cancellationToken);
        if (force) await peer.Ended.WaitAsync(cancellationToken);
    }

    public async Task RemoveAsync(string vm, long epoch, CancellationToken cancellationToken)
    {
        await peers.EndAsync(vm, epoch);
        memory.Return(vm, epoch);
        File.Delete(paths.Disk(vm, epoch));
        File.Delete(paths.ConsoleLog(vm, epoch));
    }

    public async Task<VmLog> ReadLogAsync(string vm, long epoch, long offset, int waitMs, CancellationToken cancellationToken) =>
        await ConsoleLog.ReadAsync(paths.ConsoleLog(vm, epoch), epoch, offset, waitMs, time, cancellationToken);

    public async Task WriteConsoleAsync(string vm, long epoch, byte[] data, CancellationToken cancellationToken)
    {
        var peer = peers.Require(vm, epoch);
        await ConsoleLog.WriteAsync(Path.Combine(peer.Folder.Path, PeerApi.QemuFolder, PeerApi.ConsoleSocket), data, cancellationToken);
    }

    private async Task<SupervisedPeer> LaunchAsync(string vm, long epoch, MachineDescription machine, CancellationToken cancellationToken)
    {
        // Until its peer is known, or nothing is left of it.
        using var lease = await RequireLeaseAsync(machine.PackageDigest, cancellationToken);
        var package = lease.Package;
        memory.Promise(vm, epoch, machine.MemoryBytes);
        try
        {
            var baseDisk = EntryOf(package, PackageEntryNames.Disk);
            var disk = baseDisk is null ? null : await CreateDiskAsync(baseDisk, vm, epoch, cancellationToken);
            var peer = await peers.StartAsync(
                new PeerInstance
                {
                    Vm = vm,
                    Epoch = epoch,
                    Host = HostName,
                    DataAddress = Options.AdvertisedAddress,
                    QemuBinary = Options.QemuBinary,
                    QemuUserId = facts.QemuUserId,
                    QemuGroups = facts.QemuGroups,
                    MachineType = machine.MachineType,
                    Accelerator = machine.Accelerator,
                    CpuModel = machine.CpuModel,
                    Vcpus = machine.Vcpus,
                    MemoryBytes = machine.MemoryBytes,
                    KernelPath = package.PathOf(PackageEntryNames.Kernel),
                    InitramfsPath = EntryOf(package, PackageEntryNames.Initramfs),
                    KernelCommandLine = machine.KernelCommandLine,
                    BaseDiskPath = baseDisk,
                    OverlayDiskPath = disk,
                    ConsoleLogPath = CreateConsoleLog(vm, epoch),
                    Mac = machine.Mac,
                    TapName = machine.Mac is null ? null : TapName.For(vm, epoch),
                    Bridge = machine.Mac is null ? null : Options.Bridge,
                    HasAgent = machine.HasAgent,
                },
                cancellationToken);
            _ = ReturnMemoryAtTheEndAsync(peer);
            return peer;
        }
        catch
        {
            await RemoveAsync(vm, epoch, CancellationToken.None);
            throw;
        }
    }

    private async Task ReturnMemoryAtTheEndAsync(SupervisedPeer peer)
    {
        await peer.Ended;
        memory.Return(peer.Instance.Vm, peer.Instance.Epoch);
    }

    /// <summary>Counts what an adopted peer holds.</summary>
    public void Account(SupervisedPeer peer)
    {
        memory.Record(peer.Instance.Vm, peer.Instance.Epoch, peer.Instance.MemoryBytes);
        _ = ReturnMemoryAtTheEndAsync(peer);
    }

    private async Task<string> CreateDiskAsync(string baseDisk, string vm, long epoch, CancellationToken cancellationToken)
    {
        var disk = paths.Disk(vm, epoch);
        File.Delete(disk);
        await new QemuImg().CreateOverlayAsync(disk, baseDisk, cancellationToken);
        FileOwner.Give(disk, facts.QemuUserId);
        return disk;
    }

    private string CreateConsoleLog(string vm, long epoch)
    {
        var log = paths.ConsoleLog(vm, epoch);
        File.WriteAllBytes(log, []);
        FileOwner.Give(log, facts.QemuUserId);
        return log;
    }

    private static string ParseMac(string? given, string vm)
    {
        if (given is null) return MacAddress.Generate(vm).ToString();
        return MacAddress.TryParse(given, out var mac) && mac.IsUnicast
            ? mac.ToString()
            : throw FabricException.Invalid($"'{given}' is not a unicast MAC address, such as 52:54:00:12:34:56.");
    }
}
