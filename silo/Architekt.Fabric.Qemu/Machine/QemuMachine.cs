namespace Architekt.Fabric.Qemu;

/// <summary>
/// One virtual machine as QEMU is to run it. What the guest can see (type, version, vCPUs, memory size, CPU model, which devices there are) must be
/// the same on both sides of a migration; paths and descriptors may differ.
/// </summary>
public sealed record QemuMachine
{
    /// <summary>Shown by <c>ps</c> and in QEMU's messages.</summary>
    public required string Name { get; init; }

    /// <summary>Machine type.</summary>
    public QemuMachineType Type { get; init; } = QemuMachineType.Q35;

    /// <summary>Version of the machine type as <c>major.minor</c>, e.g. <c>7.2</c>; null is the newest this QEMU has. Q35 only.</summary>
    public string? TypeVersion { get; init; }

    /// <summary>Accelerator.</summary>
    public QemuAccelerator Accelerator { get; init; } = QemuAccelerator.Tcg;

    /// <summary>CPU model; null is <c>max</c> under TCG and <c>host</c> under KVM.</summary>
    public string? CpuModel { get; init; }

    /// <summary>Features of the model that the guest is not to see, by QEMU's names.</summary>
    public IReadOnlyList<string> HiddenCpuFeatures { get; init; } = [];

    /// <summary>Virtual CPUs, 1 to 255 (288 is q35's limit in QEMU 7.2, but above 255 it needs an interrupt remapper).</summary>
    public int VirtualCpus { get; init; } = 1;

    /// <summary>Guest RAM in bytes, a multiple of 1 MiB.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>The RAM file, in shared memory, of that size.</summary>
    public required string MemoryPath { get; init; }

    /// <summary>Kernel image; null starts the firmware.</summary>
    public string? KernelPath { get; init; }

    /// <summary>Initramfs; needs a kernel.</summary>
    public string? InitrdPath { get; init; }

    /// <summary>Kernel command line; needs a kernel.</summary>
    public string? KernelCommandLine { get; init; }

    /// <summary>
    /// Frequency of the host's time stamp counter in kHz, for a microvm under TCG, which hangs in one boot of four without; null asks <see cref="HostTsc"/>.
    /// </summary>
    public long? TscKiloHertz { get; init; }

    /// <summary>Unix socket for <see cref="QmpClient"/>; QEMU creates it.</summary>
    public required string QmpSocketPath { get; init; }

    /// <summary>Unix socket of the serial console (<see cref="SerialConsole"/>); QEMU creates it. Null leaves the console out.</summary>
    public string? ConsoleSocketPath { get; init; }

    /// <summary>File that gets everything the console prints, attached or not; appended to. Needs a console.</summary>
    public string? ConsoleLogPath { get; init; }

    /// <summary>Unix socket of the virtio-serial port <c>org.architekt.liveness</c>; QEMU creates it. Null leaves the port out.</summary>
    public string? LivenessSocketPath { get; init; }

    /// <summary>Unix socket of the virtio-serial port <c>org.architekt.agent</c>; QEMU creates it. Null leaves the port out.</summary>
    public string? AgentSocketPath { get; init; }

    /// <summary>The disk; null for none.</summary>
    public QemuDisk? Disk { get; init; }

    /// <summary>The network card; null for none.</summary>
    public QemuNetworkInterface? Network { get; init; }

    /// <summary>QEMU's user-mode network, with the card on it or a cable to the TAP of <see cref="Network"/>; null for none.</summary>
    public QemuUserNetwork? UserNetwork { get; init; }

    /// <summary>Waits for <c>migrate-incoming</c> instead of booting (<c>-incoming defer</c>).</summary>
    public bool Incoming { get; init; }

    /// <summary>Does not run before <c>cont</c> (<c>-S</c>), also not after an incoming migration.</summary>
    public bool StartPaused { get; init; }

    /// <summary>QEMU's system call filter.</summary>
    public bool Sandbox { get; init; } = true;

    /// <summary>Arguments put at the end as they are.</summary>
    public IReadOnlyList<string> AdditionalArguments { get; init; } = [];
}
