namespace Architekt.Fabric.Silo.Runtime;

/// <summary>What was found out about this host when its silo started.</summary>
/// <param name="Accelerator">kvm or tcg.</param>
/// <param name="AcceleratorReason">How that is known.</param>
/// <param name="QemuVersion">Version of its QEMU.</param>
/// <param name="QemuUserId">User QEMU runs as; null runs it as the peer's own.</param>
/// <param name="QemuGroups">Further groups QEMU needs, such as the one of /dev/kvm.</param>
/// <param name="Kernel">Kernel release.</param>
/// <param name="TrackingReason">Why dirty pages cannot be tracked, and what to do; null when they can.</param>
/// <param name="MemoryBytes">Guest memory on offer, in bytes.</param>
/// <param name="Vcpus">Virtual CPUs on offer.</param>
internal sealed record HostFacts(
    string Accelerator,
    string AcceleratorReason,
    Version QemuVersion,
    int? QemuUserId,
    IReadOnlyList<int> QemuGroups,
    string Kernel,
    string? TrackingReason,
    long MemoryBytes,
    int Vcpus)
{
    /// <summary>CPU features guests find here, by QEMU's names.</summary>
    public IReadOnlyList<string> CpuFeatures { get; init; } = [];
}
