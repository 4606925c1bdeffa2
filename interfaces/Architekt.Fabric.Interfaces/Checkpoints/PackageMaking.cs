namespace Architekt.Fabric;

/// <summary>What making a package by way of a VM that lives only for it is asked to do.</summary>
/// <param name="Operation">Id of the operation, chosen by the caller: a repeated request with the same id is the same checkpoint.</param>
/// <param name="Package">Name of the package; must be free on the host.</param>
/// <param name="Spec">The VM; its name begins with <see cref="FabricNames.MakingPrefix"/>.</param>
/// <param name="TimeoutMs">How long the guest may take until it says that it is up, 1 s to 1 day, in ms.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.package-making")]
public sealed record PackageMaking(string Operation, string Package, VmSpec Spec, int TimeoutMs);
