namespace Architekt.Fabric.Grains;

/// <summary>Everything that is fixed about a checkpoint when it is asked for; stored with its operation.</summary>
/// <param name="Operation">Its id.</param>
/// <param name="Vm">The VM.</param>
/// <param name="Host">Its owner, on which the package is made.</param>
/// <param name="Epoch">The owner's epoch.</param>
/// <param name="Machine">What the VM's machine is.</param>
/// <param name="Package">Name of the package it makes.</param>
/// <param name="KeepRunning">Whether the guest goes on afterwards.</param>
/// <param name="RequestedAt">When it was asked for.</param>
/// <param name="Temporary">How the VM is started, if it lives only for this; null for one that runs anyway.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.checkpoint-plan")]
public sealed record CheckpointPlan(
    string Operation,
    string Vm,
    string Host,
    long Epoch,
    MachineDescription Machine,
    string Package,
    bool KeepRunning,
    DateTimeOffset RequestedAt,
    TemporaryStart? Temporary = null);
