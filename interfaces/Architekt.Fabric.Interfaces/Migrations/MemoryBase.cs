namespace Architekt.Fabric;

/// <summary>What a destination had of a VM's RAM before anything was sent: only what differs from it is.</summary>
public enum MemoryBase
{
    /// <summary>The memory of the package the VM was resumed from.</summary>
    Package = 0,

    /// <summary>The RAM the VM left behind when it moved away from there.</summary>
    LastVisit = 1,
}
