namespace Architekt.Fabric;

/// <summary>A VM of a host that is drained.</summary>
/// <param name="Vm">The VM.</param>
/// <param name="State">What became of it.</param>
/// <param name="Destination">Where it moves or has moved to; null before.</param>
/// <param name="Operation">Its newest migration; null before the first.</param>
/// <param name="Attempts">Migrations begun.</param>
/// <param name="TotalMs">How long the migration that moved it took, in ms.</param>
/// <param name="PauseMs">How long the guest stood still for it, in ms; null for a VM that was stopped.</param>
/// <param name="Reason">Why it has not moved, or not yet; null when there is nothing to say.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.drained-vm")]
public sealed record DrainedVm(
    string Vm,
    DrainedVmState State,
    string? Destination = null,
    string? Operation = null,
    int Attempts = 0,
    double? TotalMs = null,
    double? PauseMs = null,
    string? Reason = null);
