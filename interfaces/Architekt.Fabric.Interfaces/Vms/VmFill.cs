namespace Architekt.Fabric;

/// <summary>How far the RAM of a resumed VM has been brought in from its package.</summary>
/// <param name="State">filling, complete or failed.</param>
/// <param name="Mode">none, idle or now.</param>
/// <param name="FilledBytes">Brought in so far, in bytes.</param>
/// <param name="DataBytes">What the package holds in all, holes not counted, in bytes.</param>
/// <param name="PagesOnDemand">Pages the guest touched before they were there.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.vm-fill")]
public sealed record VmFill(string State, string Mode, long FilledBytes, long DataBytes, long PagesOnDemand);
