namespace Architekt.Fabric.Qemu;

/// <summary>Machine types the fabric runs guests on.</summary>
public enum QemuMachineType
{
    /// <summary>A PC with PCI Express; versioned by QEMU, so that it can move between QEMU versions.</summary>
    Q35,

    /// <summary>A small machine that starts faster; not versioned, so it moves only between equal QEMU versions.</summary>
    Microvm,
}
