namespace Architekt.Fabric;

/// <summary>What a collection has removed from a host's store.</summary>
/// <param name="Host">The host.</param>
/// <param name="Packages">Digests of packages that had neither a name nor a user.</param>
/// <param name="Partials">Digests of pulls that were begun and given up.</param>
/// <param name="Bytes">What all of them took, in bytes, without holes.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.package-cleaning")]
public sealed record PackageCleaning(string Host, IReadOnlyList<string> Packages, IReadOnlyList<string> Partials, long Bytes);
