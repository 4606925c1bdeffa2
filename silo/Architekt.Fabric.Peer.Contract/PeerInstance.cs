namespace Architekt.Fabric.Peer;

/// <summary>One VM at one epoch on one host: all a peer must know before it starts anything.</summary>
public sealed record PeerInstance
{
    /// <summary>API version of the silo that wrote this.</summary>
    public int ApiVersion { get; init; } = PeerApi.Version;

    /// <summary>The VM.</summary>
    public required string Vm { get; init; }

    /// <summary>The epoch this instance may run under, and no other.</summary>
    public required long Epoch { get; init; }

    /// <summary>The host.</summary>
    public required string Host { get; init; }

    /// <summary>Address the peer listens on for a source's peer.</summary>
    public required string DataAddress { get; init; }

    /// <summary>QEMU's executable.</summary>
    public required string QemuBinary { get; init; }

    /// <summary>User and group id QEMU runs as; null runs it as the peer's own user.</summary>
    public int? QemuUserId { get; init; }

    /// <summary>Further groups QEMU runs with, such as the one of /dev/kvm; only with <see cref="QemuUserId"/>.</summary>
    public IReadOnlyList<int>? QemuGroups { get; init; }

    /// <summary>QEMU machine type: q35 or microvm.</summary>
    public required string MachineType { get; init; }

    /// <summary>Version of the machine type, such as 7.2; null for QEMU's newest, and for microvm, which has none.</summary>
    public string? MachineVersion { get; init; }

    /// <summary>kvm or tcg.</summary>
    public required string Accelerator { get; init; }

    /// <summary>QEMU CPU model.</summary>
    public required string CpuModel { get; init; }

    /// <summary>Features of the CPU model that the guest is not to see, by QEMU's names: it came from where they are not, or may have to go there. Null hides none.</summary>
    public IReadOnlyList<string>? HiddenCpuFeatures { get; init; }

    /// <summary>Virtual CPUs.</summary>
    public required int Vcpus { get; init; }

    /// <summary>RAM, in bytes.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>The kernel.</summary>
    public required string KernelPath { get; init; }

    /// <summary>The initramfs, or null.</summary>
    public string? InitramfsPath { get; init; }

    /// <summary>The whole kernel command line.</summary>
    public required string KernelCommandLine { get; init; }

    /// <summary>The package's disk, raw and never written; null for a VM without a disk.</summary>
    public string? BaseDiskPath { get; init; }

    /// <summary>The VM's own qcow2 on the package's disk; null for a VM without a disk.</summary>
    public string? OverlayDiskPath { get; init; }

    /// <summary>Where the console log goes.</summary>
    public required string ConsoleLogPath { get; init; }

    /// <summary>MAC address; null for a VM without a network card.</summary>
    public string? Mac { get; init; }

    /// <summary>Name of the TAP the peer makes; null for a VM without a network card.</summary>
    public string? TapName { get; init; }

    /// <summary>Bridge the TAP joins; null for a card that leads nowhere, and for a VM without one.</summary>
    public string? Bridge { get; init; }

    /// <summary>The network of a VM outside of any fabric, instead of <see cref="TapName"/> and <see cref="Bridge"/>; with <see cref="Mac"/>.</summary>
    public PeerUserNetwork? UserNetwork { get; init; }

    /// <summary>The instance ends as soon as this process has; null for one that is independent of whoever started it.</summary>
    public PeerKeeper? Keeper { get; init; }

    /// <summary>Whether an agent is expected on the agent port.</summary>
    public bool HasAgent { get; init; }

    /// <summary>Whether the guest may only run under a lease.</summary>
    public bool HasLease { get; init; }

    /// <summary>
    /// Digest of the package the VM comes from, or null. It names the package's RAM wherever two peers speak of what differs from it.
    /// </summary>
    public string? PackageDigest { get; init; }

    /// <summary>RAM of the package, a sparse file that is never written; with <see cref="PackageStatePath"/>, the VM starts by resuming instead of booting.</summary>
    public string? PackageMemoryPath { get; init; }

    /// <summary>State of the devices in the package.</summary>
    public string? PackageStatePath { get; init; }

    /// <summary>File that says which pages VMs of this package touch first: read, if it is there, and written anew by each that resumes. Null keeps no count.</summary>
    public string? FirstPagesPath { get; init; }

    /// <summary>What to do about RAM that the guest has not touched yet after it resumed from a package: <c>none</c>, <c>idle</c> or <c>now</c>.</summary>
    public string Fill { get; init; } = "idle";

    /// <summary>Who the guest is after it resumed from a package; null: nobody else than the packaged one.</summary>
    public GuestIdentity? Identity { get; init; }
}
