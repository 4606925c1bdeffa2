namespace Architekt.Fabric.Qemu;

/// <summary>A VM's disk: its own qcow2 overlay on a package's read-only raw disk.</summary>
/// <param name="OverlayPath">The qcow2 file, written by this VM alone.</param>
/// <param name="BackingPath">The raw file below it, never written. Given to QEMU explicitly: what the overlay's header says is not followed.</param>
public sealed record QemuDisk(string OverlayPath, string BackingPath);
