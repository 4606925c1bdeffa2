namespace Architekt.Fabric.Qemu;

/// <summary>A VM's network card on a TAP device.</summary>
/// <param name="TapDescriptor">Number of the TAP's descriptor as QEMU inherits it (<see cref="QemuProcessOptions.InheritedDescriptors"/>).</param>
/// <param name="MacAddress">Six hexadecimal bytes joined by colons; stays with the VM.</param>
public sealed record QemuNetworkInterface(int TapDescriptor, string MacAddress);
