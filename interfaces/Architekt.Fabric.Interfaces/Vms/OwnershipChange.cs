namespace Architekt.Fabric;

/// <summary>What happened to the ownership of a VM.</summary>
public enum OwnershipChange
{
    /// <summary>The VM was recorded with its first owner.</summary>
    Created = 0,

    /// <summary>Its owner let it run.</summary>
    Started = 1,

    /// <summary>It shut down, or was stopped.</summary>
    Stopped = 2,

    /// <summary>It ended through a fault.</summary>
    Failed = 3,

    /// <summary>A migration committed.</summary>
    Migrated = 4,

    /// <summary>Its owner starts it again after a fault, with a new epoch.</summary>
    Restarted = 5,

    /// <summary>Another host took it over: its lease had run out, or its host was declared dead.</summary>
    FailedOver = 6,

    /// <summary>Its host was declared dead: nobody owns it.</summary>
    DeclaredDead = 7,

    /// <summary>Its host, declared dead before, is back and owns it again.</summary>
    Returned = 8,

    /// <summary>It was deleted. A name that is used again has its epochs again.</summary>
    Deleted = 9,
}
