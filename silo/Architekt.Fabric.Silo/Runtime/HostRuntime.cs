using System.Collections.Concurrent;
using Architekt.Fabric.Grains;
using Architekt.Fabric.Network;
using Architekt.Fabric.Packages;
using Architekt.Fabric.Peer;
using Architekt.Fabric.Silo.Ownership;
using Architekt.Fabric.Silo.Peers;
using Architekt.Fabric.Silo.Reconciliation;
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
    KeptMemory kept,
    DiskExports diskExports,
    LeaseKeeper leases,
    IVmStore vms,
    TimeProvider time) : IHostRuntime
{
    private const long MemoryGranule = 2 << 20;
    private const int MostVcpus = 64;

    private readonly ConcurrentDictionary<(string Vm, long Epoch), object> _starting = new();

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
        KernelArguments.Require(spec.Address, spec.Gateway);
        if (manifest.Machine is { } packaged) RequireSameMachine(spec, package, packaged);
        if (MissingCpuFeatures(manifest.CpuFeatures) is { } missing)
            throw new FabricException(FabricErrorCode.Unsupported, $"Package '{NameOf(package, spec.Package)}' needs {missing}, which host '{HostName}' does not have: run it on a host whose CPU has at least those of the one it was made on.");
        var memoryBytes = spec.MemoryBytes ?? manifest.MemoryBytes;
        var vcpus = spec.Vcpus ?? manifest.Vcpus;
        if (memoryBytes <= 0 || memoryBytes % MemoryGranule != 0)
            throw FabricException.Invalid($"{memoryBytes} bytes of memory are not a positive multiple of 2 MiB.");
        if (vcpus is < 1 or > MostVcpus) throw FabricException.Invalid($"{vcpus} virtual CPUs are not between 1 and {MostVcpus}.");
        var hasNetwork = manifest.Machine is { } saved ? saved.Mac is not null : spec.HasNetwork;
        if (hasNetwork && Options.Bridge is null)
            throw new FabricException(FabricErrorCode.Unsupported, $"Host '{HostName}' has no bridge for '{spec.Name}' to join: set Fabric:Bridge there, or start the VM without a network.");
        if (!hasNetwork && spec.Address is not null)
            throw FabricException.Invalid($"'{spec.Name}' has no network card that could have the address {spec.Address}.");
        if (spec.Availability == VmAvailability.Failover && facts.TrackingReason is { } reason)
            throw new FabricException(FabricErrorCode.Unsupported, $"Host '{HostName}' cannot run '{spec.Name}' under a lease: {reason}");
        memory.Require(memoryBytes);
        var commandLine = string.Join(' ', new[] { manifest.KernelCommandLine, spec.KernelArguments }.Where(static part => !string.IsNullOrWhiteSpace(part)));

        return new MachineDescription(
            NameOf(package, spec.Package),
            package.Digest,
            ToWord(manifest.MachineType),
            facts.Accelerator,
            manifest.Machine?.CpuModel ?? (facts.Accelerator == "kvm" ? "host" : "max"),
            vcpus,
            memoryBytes,
            spec.Address is null ? commandLine : KernelArguments.Identify(commandLine, spec.Name, spec.Address, spec.Gateway),
            hasNetwork ? ParseMac(spec.Mac, spec.Name) : null,
            manifest.Machine is null ? facts.QemuVersion.ToString() : manifest.QemuVersion!,
            manifest.AgentPorts.Agent is not null && manifest.AgentPorts.Liveness is not null,
            manifest.Kind == PackageKind.Package,
            spec.Availability == VmAvailability.Failover,
            spec.Address,
            spec.Gateway,
            (manifest.Machine is null ? facts.CpuFeatures : manifest.CpuFeatures).ToArray());
    }

    /// <summary>Whether a VM is just being started: it has no peer yet, and will have one.</summary>
    public bool IsStarting(string vm, long epoch) => _starting.ContainsKey((vm, epoch)) || peers.IsStarting(vm, epoch);

    public async Task StartAsync(VmInstance instance, CancellationToken cancellationToken)
    {
        // Before the row is read: nobody here says of a VM that is being started that it does not run.
        var starting = new object();
        _starting[(instance.Vm, instance.Epoch)] = starting;
        try
        {
            await StartOwnAsync(instance, cancellationToken);
        }
        finally
        {
            _starting.TryRemove(new((instance.Vm, instance.Epoch), starting));
        }
    }

    private async Task StartOwnAsync(VmInstance instance, CancellationToken cancellationToken)
    {
        var (vm, epoch, start) = (instance.Vm, instance.Epoch, instance.Start);
        if (peers.Find(vm, epoch) is { } present)
        {
            if (!present.Folder.HasEnded) return;
            await present.Ended.WaitAsync(cancellationToken);
        }

        await RequireOwnAsync(vm, epoch, cancellationToken);
        var peer = await LaunchAsync(vm, epoch, instance.Machine, start, cancellationToken);
        try
        {
            await leases.GrantAsync(peer, cancellationToken);
            await peer.Client.BootAsync(epoch, cancellationToken);
        }
        catch
        {
            await GiveUpAsync(vm, epoch, start);
            throw;
        }

        if (start.Kind != StartKind.Resume) peers.WatchLiveness(peer);
    }

    /// <summary>Lets the guest of a migration run that has committed and was not told so.</summary>
    public async Task RunCommittedAsync(SupervisedPeer peer, CancellationToken cancellationToken)
    {
        await leases.GrantAsync(peer, cancellationToken);
        await peer.Client.RunAsync(peer.Instance.Epoch, isRehearsal: false, cancellationToken);
    }

    /// <summary>A message that was held up must not start what has moved on.</summary>
    private async Task RequireOwnAsync(string vm, long epoch, CancellationToken cancellationToken)
    {
        var row = await vms.FindAsync(vm, cancellationToken);
        if (StartRules.Refusal(row?.Info, HostName, epoch) is { } refusal)
            throw FabricException.StaleEpoch($"'{vm}' cannot be started on '{HostName}' with epoch {epoch}: {refusal}.");
        SettleDisk(row!);
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

    /// <summary>Whether the host has the disk of a VM, under which epoch ever.</summary>
    public bool HasDisk(VmRecord vm) => File.Exists(paths.Disk(vm.Info.Name, DiskEpochOf(vm)));

    /// <summary>The epoch the disk of a VM is filed under here.</summary>
    public long DiskEpochOf(VmRecord vm)
    {
        if (vm.DiskEpoch == vm.Info.Epoch) return vm.DiskEpoch;
        return paths.ListDisks().Where(disk => disk.Vm == vm.Info.Name && OrphanRules.IsDiskOf(vm, disk.Epoch)).Select(static disk => disk.Epoch).DefaultIfEmpty(vm.DiskEpoch).Max();
    }

    /// <summary>Files the disk of a VM that was started again in place, or is its host's again, under the epoch it has now.</summary>
    public void SettleDisk(VmRecord vm)
    {
        var (from, to) = (paths.Disk(vm.Info.Name, DiskEpochOf(vm)), paths.Disk(vm.Info.Name, vm.Info.Epoch));
        if (from == to) return;
        try
        {
            File.Move(from, to);
        }
        catch (FileNotFoundException)
        {
            // A VM without a disk, or somebody was faster.
        }
    }

    /// <summary>Whose console logs are on this host.</summary>
    public IReadOnlyList<(string Vm, long Epoch)> ListConsoleLogs() => [.. paths.ListConsoleLogs()];

    public void RemoveConsoleLog(string vm, long epoch) => File.Delete(paths.ConsoleLog(vm, epoch));

    /// <summary>Whose disks are on this host.</summary>
    public IReadOnlyList<(string Vm, long Epoch)> ListDisks() => [.. paths.ListDisks()];

    public async Task<VmUsage> GetUsageAsync(string vm, long epoch, CancellationToken cancellationToken)
    {
        var status = await peers.Require(vm, epoch).Client.GetStatusAsync(cancellationToken);
        return new VmUsage(
            status.ResidentBytes,
            status.Fill is { } fill ? new VmFill(fill.State, fill.Mode, fill.FilledBytes, fill.DataBytes, fill.PagesOnDemand) : null);
    }

    public async Task<VmLog> ReadLogAsync(string vm, long epoch, long offset, int waitMs, CancellationToken cancellationToken) =>
        await ConsoleLog.ReadAsync(paths.ConsoleLog(vm, epoch), epoch, offset, waitMs, time, cancellationToken);

    public async Task WriteConsoleAsync(string vm, long epoch, byte[] data, CancellationToken cancellationToken)
    {
        var peer = peers.Require(vm, epoch);
        await ConsoleLog.WriteAsync(Path.Combine(peer.Folder.Path, PeerApi.QemuFolder, PeerApi.ConsoleSocket), data, time, cancellationToken);
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

    private static string ParseMac(string? given, string vm)
    {
        if (given is null) return MacAddress.Generate(vm).ToString();
        return MacAddress.TryParse(given, out var mac) && mac.IsUnicast
            ? mac.ToString()
            : throw FabricException.Invalid($"'{given}' is not a unicast MAC address, such as 52:54:00:12:34:56.");
    }
}
