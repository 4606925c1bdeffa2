namespace Architekt.Fabric.Simulation.Bugs;

/// <summary>A mistake the fabric could make and does not, put into the simulated parts, or between them and the real code, to see that it is found.</summary>
internal enum SeededBug
{
    /// <summary>None: the fabric as it is.</summary>
    None = 0,

    /// <summary>The source's peer hands the guest over before it has stopped.</summary>
    HandOverBeforeStop,

    /// <summary>The source's peer does not scan once more after the stop.</summary>
    NoFinalScan,

    /// <summary>The source's peer reads pages first and protects them after.</summary>
    ReadBeforeScan,

    /// <summary>The destination's peer continues the guest as soon as it is loaded: no grant, no epoch is checked.</summary>
    ContinueWithoutGrant,

    /// <summary>A roll-back does not wait for the reservation to be withdrawn.</summary>
    RollBackWithoutWithdraw,

    /// <summary>A withdrawal does not look whether the commit has happened.</summary>
    WithdrawIgnoresCommit,

    /// <summary>The commit compares neither epoch nor owner nor reservation.</summary>
    CommitWithoutCompare,

    /// <summary>The commit does not look whether what was loaded is still there.</summary>
    CommitWithoutConfirmation,

    /// <summary>A commit without an answer is taken for one that happened.</summary>
    UnknownTakenForCommitted,

    /// <summary>Whoever takes up a migration that was last seen in its switch-over takes it for committed.</summary>
    SwitchTakenForCommitted,

    /// <summary>The source's peer goes on by itself when it hears nothing after the hand-over.</summary>
    SourceGoesOnAfterHandOver,

    /// <summary>The reconciler reads the row before it asks the peer.</summary>
    RowReadBeforeStatus,

    /// <summary>The reconciler does not leave a VM alone that has an operation.</summary>
    OperationIgnoredByReconciler,

    /// <summary>A silo that was started again answers before it has found its VMs again.</summary>
    ServesBeforeAdoption,

    /// <summary>The source is released before the commit.</summary>
    ReleaseBeforeCommit,

    /// <summary>A reservation that is withdrawn gives its epoch back, and the next one is given it again.</summary>
    EpochGivenBack,

    /// <summary>A VM is started without a look whether its disk is being moved.</summary>
    StartsWhileMoved,

    /// <summary>A disk that is fetched is where it belongs before all of it is there, and taken for whole.</summary>
    DiskTakenForWhole,

    /// <summary>A checkpoint does not keep migrations off, nor they it.</summary>
    CheckpointBesideMigration,

    /// <summary>A silo that was started again leaves what its forerunner had half made.</summary>
    HalfPackageKept,

    /// <summary>A host is declared dead on the strength of what was seen before it came back.</summary>
    DeclaredDeadLate,

    /// <summary>A peer takes a lease for a span that begins when it hears of it.</summary>
    LeaseIsASpan,

    /// <summary>The lease a peer is told of counts from the answer of Postgres instead of from the question.</summary>
    LeaseCountedFromAnswer,

    /// <summary>A VM is taken over as soon as its lease has ended, without the margin.</summary>
    NoMargin,

    /// <summary>QEMU has no switch that ends it without its peer.</summary>
    NoDeadMansSwitch,

    /// <summary>That switch counts only the time its host was awake.</summary>
    SwitchSleeps,

    /// <summary>The way back from a migration does not ask for a lease.</summary>
    GoesOnWithoutLease,

    /// <summary>A VM is taken over when its lease has ended by the clock of the database alone.</summary>
    TrustsDatabaseClock,

    /// <summary>Taking over compares neither epoch nor lease.</summary>
    ClaimedWithoutCompare,

    /// <summary>A renewal compares neither host nor epoch.</summary>
    RenewedWithoutCompare,

    /// <summary>A renewal lets a guest go on that stands still to be written down.</summary>
    RenewalEndsHold,
}
