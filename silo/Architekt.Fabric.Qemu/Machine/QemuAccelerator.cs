namespace Architekt.Fabric.Qemu;

/// <summary>What executes the guest's instructions.</summary>
public enum QemuAccelerator
{
    /// <summary>Software emulation. Works everywhere.</summary>
    Tcg,

    /// <summary>The kernel's hypervisor. <see cref="AcceleratorProbe"/> finds out whether it works.</summary>
    Kvm,
}
