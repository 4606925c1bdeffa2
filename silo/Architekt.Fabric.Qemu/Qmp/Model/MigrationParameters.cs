namespace Architekt.Fabric.Qemu;

/// <summary>Migration parameters to change (QEMU, qapi/migration.json, <c>MigrationParameters</c>); null leaves a parameter as it is.</summary>
public sealed record MigrationParameters
{
    /// <summary>Bytes per second of the stream.</summary>
    public long? MaxBandwidth { get; init; }

    /// <summary>Milliseconds the guest may stand still when QEMU decides (0 to 2,000,000).</summary>
    public long? DowntimeLimit { get; init; }

    /// <summary>Milliseconds before the first announcement of the network cards after the move (0 to 100,000).</summary>
    public long? AnnounceInitial { get; init; }

    /// <summary>Most milliseconds between announcements (0 to 100,000).</summary>
    public long? AnnounceMax { get; init; }

    /// <summary>Number of announcements (0 to 1000).</summary>
    public long? AnnounceRounds { get; init; }

    /// <summary>Milliseconds by which the distance between announcements grows (1 to 10,000).</summary>
    public long? AnnounceStep { get; init; }
}
