namespace Architekt.Fabric;

/// <summary>One change in the ownership of a VM, recorded in the transaction that made it.</summary>
/// <param name="Sequence">Orders the changes of one VM.</param>
/// <param name="At">When, by the database's clock.</param>
/// <param name="Vm">The VM.</param>
/// <param name="Epoch">Number of the ownership from then on.</param>
/// <param name="Host">Its owner from then on; null: nobody.</param>
/// <param name="Change">What happened.</param>
/// <param name="Operation">The operation that did it, if one did.</param>
/// <param name="Reason">Why, when there is something to say.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.ownership-entry")]
public sealed record OwnershipEntry(
    long Sequence,
    DateTimeOffset At,
    string Vm,
    long Epoch,
    string? Host,
    OwnershipChange Change,
    string? Operation,
    string? Reason);
