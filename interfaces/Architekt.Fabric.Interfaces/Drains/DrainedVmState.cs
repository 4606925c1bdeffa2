namespace Architekt.Fabric;

/// <summary>What became of a VM of a host that is drained. The numbers are stored and cross the wire.</summary>
public enum DrainedVmState
{
    /// <summary>Its turn has not come.</summary>
    Waiting = 0,

    /// <summary>Its migration is under way.</summary>
    Moving = 1,

    /// <summary>The drain has moved it.</summary>
    Moved = 2,

    /// <summary>It left without the drain: deleted, or moved by somebody else.</summary>
    Left = 3,

    /// <summary>No open host has room for it.</summary>
    NoRoom = 4,

    /// <summary>It could not be moved, or does not run where it was moved to.</summary>
    Failed = 5,

    /// <summary>The drain was cancelled, or its deadline passed, before it was moved.</summary>
    Stayed = 6,
}
