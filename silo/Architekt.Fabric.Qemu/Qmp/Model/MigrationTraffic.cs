namespace Architekt.Fabric.Qemu;

/// <summary>Traffic of a migration stream in bytes (QEMU, qapi/migration.json, <c>MigrationStats</c>).</summary>
/// <param name="Transferred">Bytes sent.</param>
/// <param name="Remaining">Bytes left.</param>
/// <param name="Total">Bytes there are.</param>
public sealed record MigrationTraffic(long Transferred, long Remaining, long Total);
