namespace Architekt.Fabric.Benchmarks.Migrate;

/// <summary>One migration under load.</summary>
/// <param name="Variant">Who migrated.</param>
/// <param name="Numbers">What it took; null when it did not succeed.</param>
/// <param name="ClientGapMs">The longest time between two acknowledgements the client saw.</param>
/// <param name="WritesPerSecond">What the guest managed in the seconds before.</param>
/// <param name="Damage">What was wrong with the guest afterwards; null when it came through intact.</param>
internal sealed record Sample(string Variant, MigrationNumbers? Numbers, double ClientGapMs, double WritesPerSecond, string? Damage);
