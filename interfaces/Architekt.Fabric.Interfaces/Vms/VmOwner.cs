namespace Architekt.Fabric;

/// <summary>Who owns a VM.</summary>
/// <param name="Vm">The VM.</param>
/// <param name="Host">Its owner; null for a VM that nobody owns because its host was declared dead.</param>
/// <param name="Epoch">Number of the ownership.</param>
/// <param name="State">What the VM was doing when that was last recorded.</param>
/// <param name="Since">Since when it has been so.</param>
/// <param name="Operation">The operation that holds the right to the next epoch, if any.</param>
/// <param name="Availability">Whether the owner's right to run it is a lease.</param>
/// <param name="LeaseUntil">When that lease ends by the database's clock; null without one.</param>
/// <param name="LeaseRemainingMs">How long that was from the answer on, in ms, by the same clock; negative when it has ended. Null without a lease.</param>
/// <param name="Restart">Whether it is started again after a fault.</param>
/// <param name="Restarts">How often in a row that has been done.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.vm-owner")]
public sealed record VmOwner(
    string Vm,
    string? Host,
    long Epoch,
    VmState State,
    DateTimeOffset Since,
    string? Operation,
    VmAvailability Availability,
    DateTimeOffset? LeaseUntil,
    double? LeaseRemainingMs,
    VmRestart Restart,
    int Restarts);
