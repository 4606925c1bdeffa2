namespace Architekt.Fabric.Grains;

/// <summary>What became of giving a reservation back.</summary>
public enum WithdrawOutcome
{
    /// <summary>The source is the owner and stays it: the commit did not happen and cannot happen any more.</summary>
    Withdrawn = 0,

    /// <summary>The commit had happened: the destination is the owner.</summary>
    AlreadyCommitted = 1,

    /// <summary>Postgres did not answer: ask again.</summary>
    Unknown = 2,

    /// <summary>Neither: the commit cannot happen any more, because the VM is no longer the source's with the epoch of the plan. It was taken over, or deleted.</summary>
    TakenOver = 3,
}
