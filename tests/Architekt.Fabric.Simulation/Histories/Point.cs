namespace Architekt.Fabric.Simulation.Histories;

/// <summary>What a message asks for: where in a migration something can happen.</summary>
internal enum Point
{
    // Asked of a host.
    CheckSource,
    CheckDestination,
    FindBases,
    Prepare,
    StartCopy,
    Transfer,
    Suspend,
    Switch,
    WaitLoaded,
    ConfirmLoaded,
    RehearseRun,
    Run,
    Release,
    RollBack,
    Discard,

    // Asked of Postgres.
    Begin,
    FindOperation,
    FindVm,
    SetPhase,
    RehearseCommit,
    Commit,
    Withdraw,
    HasCommitted,
    End,
    SetState,

    // Asked of Postgres about leases.
    Renew,
    LookForLeases,
    Claim,
    Restart,

    // From the source's peer to the destination's.
    Connect,
    Round,
    Flush,

    // Everything else, which nothing is aimed at.
    Other,
}
