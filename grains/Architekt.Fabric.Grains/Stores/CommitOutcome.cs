namespace Architekt.Fabric.Grains;

/// <summary>What became of a commit.</summary>
public enum CommitOutcome
{
    /// <summary>The destination is the owner.</summary>
    Committed = 0,

    /// <summary>Nothing changed: epoch, owner or reservation were not as expected.</summary>
    Refused = 1,

    /// <summary>The answer was lost. Both sides stay paused until <see cref="IVmStore.WithdrawAsync"/> knows.</summary>
    Unknown = 2,
}
