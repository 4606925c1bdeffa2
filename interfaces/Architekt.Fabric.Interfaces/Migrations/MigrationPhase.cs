namespace Architekt.Fabric;

/// <summary>The phases of a migration, in order (docs/migration.md). The numbers are stored and cross the wire.</summary>
public enum MigrationPhase
{
    /// <summary>Can it work at all? Nothing has been started.</summary>
    Check = 0,

    /// <summary>The destination starts a paused QEMU and opens its exports.</summary>
    Prepare = 1,

    /// <summary>Memory and disk are copied while the guest runs.</summary>
    Copy = 2,

    /// <summary>The guest agent is asked to get ready; it may veto.</summary>
    Suspend = 3,

    /// <summary>The source stops, sends what is left, and the destination loads the device state.</summary>
    Switch = 4,

    /// <summary>One transaction makes the destination the owner.</summary>
    Commit = 5,

    /// <summary>The destination runs the guest; the network moves.</summary>
    Run = 6,

    /// <summary>The source is removed and the grain moves.</summary>
    Clean = 7,

    /// <summary>A failure or a cancellation is undone: the source goes on, the destination is removed.</summary>
    RollBack = 8,

    /// <summary>It has ended; the outcome says how.</summary>
    Done = 9,
}
