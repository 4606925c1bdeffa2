namespace Architekt.Fabric;

/// <summary>Something that happened, as the events table records it.</summary>
/// <param name="Sequence">Its place in the record; grows, with gaps.</param>
/// <param name="At">When.</param>
/// <param name="Kind">What, such as <c>vm.started</c>, <c>vm.moved</c> or <c>migration.phase</c>.</param>
/// <param name="Vm">The VM it is about, if any.</param>
/// <param name="Host">The host it happened on, if any.</param>
/// <param name="Operation">The operation it belongs to, if any.</param>
/// <param name="Epoch">The VM's epoch then, if any.</param>
/// <param name="Message">One sentence.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.event")]
public sealed record FabricEvent(
    long Sequence,
    DateTimeOffset At,
    string Kind,
    string? Vm,
    string? Host,
    string? Operation,
    long? Epoch,
    string Message);
