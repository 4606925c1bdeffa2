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
    OfferDisk,
    StartFetch,
    GetFetch,
    StartVm,
    StopVm,

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

    // Asked of Postgres about hosts.
    Report,
    ListHosts,
    DeclareDead,
    Return,

    // From the source's peer to the destination's.
    Connect,
    Round,
    Flush,

    // From one silo to the other, when only a disk moves.
    ReadDisk,

    // Everything else, which nothing is aimed at.
    Other,
}
