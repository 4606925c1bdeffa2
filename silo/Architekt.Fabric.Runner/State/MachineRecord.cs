namespace Architekt.Fabric.Runner.State;

/// <summary>What a machine is: all that must be the same when it goes on, in its state's <c>machine.json</c>.</summary>
internal sealed record MachineRecord
{
    /// <summary>Digest of the package it came from; kernel and initramfs are in there.</summary>
    public required string Package { get; init; }

    /// <summary>Whether it goes on where it was; otherwise there is a disk to boot from.</summary>
    public required bool HasMemory { get; init; }

    public required string MachineType { get; init; }

    public required string Accelerator { get; init; }

    public required string CpuModel { get; init; }

    /// <summary>CPU features the guest has seen, by QEMU's names; null or empty: not known.</summary>
    public IReadOnlyList<string>? CpuFeatures { get; init; }

    /// <summary>The QEMU that ran it last.</summary>
    public required string QemuVersion { get; init; }

    public required int Vcpus { get; init; }

    public required long MemoryBytes { get; init; }

    public required string KernelCommandLine { get; init; }

    /// <summary>Null for a machine without a network card; then it has no address either.</summary>
    public string? Mac { get; init; }

    /// <summary>Its guest's address and prefix length.</summary>
    public string? Address { get; init; }

    public string? Gateway { get; init; }

    /// <summary>Its card was saved on a TAP, and can be loaded onto one only.</summary>
    public bool IsCardOnTap { get; init; }

    public required bool HasAgent { get; init; }

    public required DateTimeOffset SavedAt { get; init; }
}
