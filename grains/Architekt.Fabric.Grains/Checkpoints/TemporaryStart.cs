namespace Architekt.Fabric.Grains;

/// <summary>How a VM that lives only for its checkpoint is started; stored with the plan.</summary>
/// <param name="Start">From what.</param>
/// <param name="TimeoutMs">How long the guest may take until it says that it is up, in ms.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.temporary-start")]
public sealed record TemporaryStart(VmStart Start, int TimeoutMs);
