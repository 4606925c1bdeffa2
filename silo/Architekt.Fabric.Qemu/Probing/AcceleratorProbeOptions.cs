namespace Architekt.Fabric.Qemu;

/// <summary>How the accelerator is probed.</summary>
public sealed record AcceleratorProbeOptions
{
    /// <summary>QEMU program, by name or path.</summary>
    public string Binary { get; init; } = QemuBinary.DefaultName;

    /// <summary>How long the test image may take; it needs a few milliseconds on a processor that works, so 5 s is a processor that does not.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>User the VMs will run as, which decides about access to <c>/dev/kvm</c>; null is this process's.</summary>
    public int? UserId { get; init; }

    /// <summary>Group the VMs will run as.</summary>
    public int? GroupId { get; init; }

    /// <summary>Further groups the VMs will have.</summary>
    public IReadOnlyList<int> SupplementaryGroups { get; init; } = [];
}
