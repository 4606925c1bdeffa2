namespace Architekt.Fabric.Qemu;

/// <summary>Answer of <c>query-migrate</c> (QEMU, qapi/migration.json, <c>MigrationInfo</c>); members that QEMU leaves out are null.</summary>
public sealed record MigrationInfo
{
    /// <summary>State; <see cref="MigrationStatus.None"/> if none was ever begun.</summary>
    public MigrationStatus Status { get; init; }

    /// <summary>Milliseconds since the migration began, or that it took.</summary>
    public long? TotalTime { get; init; }

    /// <summary>Milliseconds the guest stood still, once completed.</summary>
    public long? Downtime { get; init; }

    /// <summary>Milliseconds of setting up.</summary>
    public long? SetupTime { get; init; }

    /// <summary>QEMU's text about a failure.</summary>
    public string? ErrorDesc { get; init; }

    /// <summary>Why a migration cannot begin now.</summary>
    public IReadOnlyList<string>? BlockedReasons { get; init; }

    /// <summary>What went over the wire.</summary>
    public MigrationTraffic? Ram { get; init; }
}
