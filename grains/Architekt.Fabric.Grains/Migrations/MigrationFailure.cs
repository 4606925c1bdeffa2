namespace Architekt.Fabric.Grains;

/// <summary>What went wrong first in a migration.</summary>
/// <param name="Phase">In which phase.</param>
/// <param name="Code">For programs.</param>
/// <param name="Reason">For people.</param>
public sealed record MigrationFailure(MigrationPhase Phase, FabricErrorCode Code, string Reason);
