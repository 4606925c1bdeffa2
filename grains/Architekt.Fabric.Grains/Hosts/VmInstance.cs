namespace Architekt.Fabric.Grains;

/// <summary>One VM at one epoch, to be started on a host.</summary>
/// <param name="Vm">The VM.</param>
/// <param name="Epoch">The epoch that grants it to this host.</param>
/// <param name="Machine">What its machine is.</param>
/// <param name="Start">How to start it.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.vm-instance")]
public sealed record VmInstance(string Vm, long Epoch, MachineDescription Machine, VmStart Start);
