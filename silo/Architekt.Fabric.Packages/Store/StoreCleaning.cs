namespace Architekt.Fabric.Packages;

/// <summary>What a collection has removed from a store.</summary>
/// <param name="Packages">Packages without a name and without a user.</param>
/// <param name="Partials">Digests of pulls that were begun and given up.</param>
/// <param name="Bytes">What all of them took, without holes.</param>
public sealed record StoreCleaning(IReadOnlyList<string> Packages, IReadOnlyList<string> Partials, long Bytes);
