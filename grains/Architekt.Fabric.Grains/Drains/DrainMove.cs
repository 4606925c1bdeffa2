namespace Architekt.Fabric.Grains;

/// <summary>One migration that a drain wants.</summary>
/// <param name="Vm">The VM.</param>
/// <param name="Destination">Where to.</param>
/// <param name="Operation">Its operation; asked for again with the same id, it is the same migration.</param>
internal sealed record DrainMove(string Vm, string Destination, string Operation);
