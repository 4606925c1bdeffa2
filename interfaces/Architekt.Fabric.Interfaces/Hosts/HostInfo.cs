namespace Architekt.Fabric;

/// <summary>One host as the fabric knows it.</summary>
/// <param name="Name">Its name, which is also its silo's.</param>
/// <param name="State">Whether its silo is a member of the cluster now.</param>
/// <param name="Address">Address other hosts reach its peers at.</param>
/// <param name="Vcpus">Virtual CPUs it offers.</param>
/// <param name="MemoryBytes">Guest memory it offers, in bytes.</param>
/// <param name="MemoryUsedBytes">Guest memory promised to VMs it owns, in bytes.</param>
/// <param name="VmCount">VMs it owns.</param>
/// <param name="Accelerator">How guests run: kvm or tcg.</param>
/// <param name="QemuVersion">Version of its QEMU.</param>
/// <param name="Kernel">Its kernel release.</param>
/// <param name="LiveMigration">Whether its kernel can track dirty pages.</param>
/// <param name="LiveMigrationReason">Why not, and what to do; null when it can.</param>
/// <param name="Version">Version of its silo.</param>
/// <param name="LastSeen">When it last reported.</param>
/// <param name="IsCordoned">Whether it takes neither new VMs nor migrations.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.host-info")]
public sealed record HostInfo(
    string Name,
    HostState State,
    string Address,
    int Vcpus,
    long MemoryBytes,
    long MemoryUsedBytes,
    int VmCount,
    string Accelerator,
    string QemuVersion,
    string Kernel,
    bool LiveMigration,
    string? LiveMigrationReason,
    string Version,
    DateTimeOffset LastSeen,
    bool IsCordoned = false);
