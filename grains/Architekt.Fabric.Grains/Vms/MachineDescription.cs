namespace Architekt.Fabric.Grains;

/// <summary>What a VM's machine is, so that any host with the package can build the same one.</summary>
/// <param name="Package">Name of the package on the host it was started on.</param>
/// <param name="PackageDigest">Digest of the package: the same on every host.</param>
/// <param name="MachineType">QEMU machine type: q35 or microvm.</param>
/// <param name="Accelerator">kvm or tcg; a running machine cannot change it.</param>
/// <param name="CpuModel">QEMU CPU model.</param>
/// <param name="Vcpus">Virtual CPUs.</param>
/// <param name="MemoryBytes">RAM, in bytes.</param>
/// <param name="KernelCommandLine">The whole kernel command line.</param>
/// <param name="Mac">MAC address of its card; null without a network.</param>
/// <param name="QemuVersion">The QEMU whose machine it is: that of the package's state, or the one it was first started with. A destination's must not be older.</param>
/// <param name="HasAgent">Whether the package says an agent answers on the agent port.</param>
/// <param name="HasMemory">Whether the package has memory, so that the VM began by resuming.</param>
/// <param name="HasLease">Whether it may only run under a lease.</param>
/// <param name="Address">IPv4 address and prefix of its card where the fabric gives it one; another host that starts it anew gives it the same.</param>
/// <param name="Gateway">IPv4 address of its default gateway, or null.</param>
/// <param name="CpuFeatures">CPU features the guest has seen, by QEMU's names; it goes on only where they are. Null or empty: not known.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.machine-description")]
public sealed record MachineDescription(
    string Package,
    string PackageDigest,
    string MachineType,
    string Accelerator,
    string CpuModel,
    int Vcpus,
    long MemoryBytes,
    string KernelCommandLine,
    string? Mac,
    string QemuVersion,
    bool HasAgent,
    bool HasMemory = false,
    bool HasLease = false,
    string? Address = null,
    string? Gateway = null,
    IReadOnlyList<string>? CpuFeatures = null);
