namespace Architekt.Fabric.Qemu;

/// <summary>Which accelerator a host has.</summary>
/// <param name="Accelerator">The one to use.</param>
/// <param name="Reason">One sentence that says why.</param>
public sealed record AcceleratorProbeResult(QemuAccelerator Accelerator, string Reason);
