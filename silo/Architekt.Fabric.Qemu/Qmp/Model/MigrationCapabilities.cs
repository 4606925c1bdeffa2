namespace Architekt.Fabric.Qemu;

/// <summary>The migration capabilities the fabric uses (QEMU, qapi/migration.json, <c>MigrationCapability</c>); all three are set, on or off.</summary>
public sealed record MigrationCapabilities
{
    /// <summary>Leaves shared guest RAM out of the stream: <c>x-ignore-shared</c>. Must be the same on both sides.</summary>
    public bool IgnoreShared { get; init; }

    /// <summary>Sends <c>MIGRATION</c> events.</summary>
    public bool Events { get; init; } = true;

    /// <summary>Stops in <see cref="MigrationStatus.PreSwitchover"/> until <c>migrate-continue</c>. Source only.</summary>
    public bool PauseBeforeSwitchover { get; init; }
}
