using Architekt.Fabric.Grains;
using Architekt.Fabric.Network;
using Architekt.Fabric.Packages;
using Architekt.Fabric.Peer;
using Architekt.Fabric.Processes;
using Architekt.Fabric.Qemu;
using Architekt.Fabric.Silo.Peers;

namespace Architekt.Fabric.Silo.Runtime;

/// <content>Building the machine of a VM.</content>
internal sealed partial class HostRuntime
{
    /// <summary>A device state can only be loaded into the machine that saved it: says what of what is asked for would make it another.</summary>
    private void RequireSameMachine(VmSpec spec, StoredPackage package, PackageMachine packaged)
    {
        var manifest = package.Manifest;
        var name = NameOf(package, spec.Package);
        if (packaged.Accelerator != facts.Accelerator)
            throw Refuse(FabricErrorCode.Unsupported, $"was made under {packaged.Accelerator}, and host '{HostName}' runs guests under {facts.Accelerator}");
        if (QemuMachines.Refusal(ToWord(manifest.MachineType), manifest.QemuVersion, facts.QemuVersion) is { } difference)
            throw Refuse(FabricErrorCode.Unsupported, $"was made by QEMU {manifest.QemuVersion}, and host '{HostName}' has {difference}");
        if (spec.MemoryBytes is { } memoryBytes && memoryBytes != manifest.MemoryBytes)
            throw Refuse(FabricErrorCode.InvalidArgument, $"has {manifest.MemoryBytes >> 20} MiB of RAM, and its VMs cannot have another size");
        if (spec.Vcpus is { } vcpus && vcpus != manifest.Vcpus)
            throw Refuse(FabricErrorCode.InvalidArgument, $"has {manifest.Vcpus} virtual CPUs, and its VMs cannot have {vcpus}");
        if (!string.IsNullOrWhiteSpace(spec.KernelArguments))
            throw Refuse(FabricErrorCode.InvalidArgument, "has memory: its kernel read its command line when it booted, and nothing can be added");
        if (packaged.Mac is not null && !spec.HasNetwork)
            throw Refuse(FabricErrorCode.InvalidArgument, "was made with a network card, and its VMs cannot be without one");
        if (packaged.Mac is null && spec.Mac is not null)
            throw Refuse(FabricErrorCode.InvalidArgument, $"was made without a network card, and its VMs cannot have the address {spec.Mac}");

        FabricException Refuse(FabricErrorCode code, string reason) => new(code, $"Package '{name}' {reason}.");
    }

    private string? MissingCpuFeatures(IReadOnlyList<string>? seen) => CpuFeatures.Describe(CpuFeatures.Missing(seen ?? [], facts.CpuFeatures));

    private async Task<SupervisedPeer> LaunchAsync(
        string vm, long epoch, MachineDescription machine, VmStart? start, CancellationToken cancellationToken)
    {
        if (peers.Peers.FirstOrDefault(other => other.Instance.Vm == vm && other.Instance.Epoch > epoch) is { } newer)
            throw FabricException.StaleEpoch($"'{vm}' is on '{HostName}' with epoch {newer.Instance.Epoch} already, not {epoch}.");

        // Until its peer is known, or nothing is left of it.
        using var lease = await RequireLeaseAsync(machine.PackageDigest, cancellationToken);
        var package = lease.Package;
        var baseDisk = EntryOf(package, PackageEntryNames.Disk);
        var isAgain = start is { Kind: StartKind.BootAgain };
        if (isAgain && baseDisk is not null && !File.Exists(paths.Disk(vm, epoch)))
            throw FabricException.NotFound($"The disk of '{vm}' is not on '{HostName}' any more: there is nothing to boot from; delete the VM.");
        memory.Promise(vm, epoch, machine.MemoryBytes);
        kept.MakeRoom();
        try
        {
            var disk = baseDisk is null ? null : isAgain ? paths.Disk(vm, epoch) : await CreateDiskAsync(baseDisk, vm, epoch, cancellationToken);
            var resumes = start is { Kind: StartKind.Resume };
            var instance = new PeerInstance
            {
                Vm = vm,
                Epoch = epoch,
                Host = HostName,
                DataAddress = Options.AdvertisedAddress,
                QemuBinary = Options.QemuBinary,
                QemuUserId = facts.QemuUserId,
                QemuGroups = facts.QemuGroups,
                MachineType = machine.MachineType,
                MachineVersion = QemuMachines.VersionOf(machine.MachineType, machine.QemuVersion),
                Accelerator = machine.Accelerator,
                CpuModel = machine.CpuModel,
                HiddenCpuFeatures = CpuFeatures.Unseen(machine.CpuFeatures ?? [], facts.CpuFeatures),
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
                HasLease = machine.HasLease,
                PackageDigest = machine.PackageDigest,
                PackageMemoryPath = resumes ? package.PathOf(PackageEntryNames.Memory) : null,
                PackageStatePath = resumes ? package.PathOf(PackageEntryNames.State) : null,
                FirstPagesPath = resumes ? paths.FirstPages(package.Digest) : null,
                Fill = ToWord(start?.Fill ?? FillMode.Idle),
                Identity = resumes ? new GuestIdentity(vm, start!.Address, start.Gateway, Fresh: true) : null,
            };
            var peer = await peers.StartAsync(instance, keepsDisk: isAgain, cancellationToken);
            _ = ReturnMemoryAtTheEndAsync(peer);
            return peer;
        }
        catch
        {
            await GiveUpAsync(vm, epoch, start);
            throw;
        }
    }

    /// <summary>Removes what a start that failed has left, except the disk of a VM that had one before.</summary>
    private async Task GiveUpAsync(string vm, long epoch, VmStart? start)
    {
        if (start is not { Kind: StartKind.BootAgain })
        {
            await RemoveAsync(vm, epoch, CancellationToken.None);
            return;
        }

        await peers.EndAsync(vm, epoch);
        memory.Return(vm, epoch);
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
}
