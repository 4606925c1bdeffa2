namespace Architekt.Fabric;

/// <summary>What a migration is asked to do.</summary>
/// <param name="Operation">Id of the operation, chosen by the caller: a repeated request with the same id is the same migration.</param>
/// <param name="Destination">The host to move to.</param>
/// <param name="Options">How.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.migration-request")]
public sealed record MigrationRequest(string Operation, string Destination, MigrationOptions Options);
