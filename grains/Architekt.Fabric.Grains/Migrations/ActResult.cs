namespace Architekt.Fabric.Grains;

/// <summary>What became of an act.</summary>
public enum ActResult
{
    /// <summary>It was done.</summary>
    Done = 0,

    /// <summary>It was not done, for good.</summary>
    Failed = 1,

    /// <summary>Nobody can tell, or it may work later.</summary>
    Unknown = 2,

    /// <summary>For <see cref="MigrationAct.Withdraw"/> only: the commit had happened.</summary>
    AlreadyCommitted = 3,
}
