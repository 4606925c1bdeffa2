namespace Architekt.Fabric.Simulation.Histories;

/// <summary>What can happen in a history.</summary>
internal enum Kind
{
    /// <summary>A client asks for a migration to <see cref="Happening.Place"/>, and repeats it until it is answered.</summary>
    Migrate,

    /// <summary>A client asks once more for what it asked for last, under the same id.</summary>
    Retry,

    /// <summary>A client cancels the operation asked for last.</summary>
    Cancel,

    /// <summary>A client asks for a package to be made of the VM, which runs on or, if <see cref="Happening.Place"/> is the third, does not.</summary>
    Checkpoint,

    /// <summary>A client asks for the VM to be stopped, and by force if <see cref="Happening.Place"/> is the third.</summary>
    StopVm,

    /// <summary>A client asks for the VM to be started.</summary>
    StartVm,

    /// <summary>An operator switches a host off, declares it dead until that is answered, and switches it on again later.</summary>
    DeclareDead,

    /// <summary>The message loses its way.</summary>
    LoseRequest,

    /// <summary>What it asks for is done, and the answer is lost.</summary>
    LoseAnswer,

    /// <summary>The message arrives late.</summary>
    DelayRequest,

    /// <summary>The answer arrives late.</summary>
    DelayAnswer,

    /// <summary>kill -9 of a silo, which is started again.</summary>
    KillSilo,

    /// <summary>SIGSTOP of a silo, SIGCONT later.</summary>
    StopSilo,

    /// <summary>kill -9 of a host's peers; their QEMUs run on.</summary>
    KillPeer,

    /// <summary>SIGSTOP of a host's peers, SIGCONT later; their QEMUs run on.</summary>
    StopPeer,

    /// <summary>kill -9 of a host's QEMUs.</summary>
    KillQemu,

    /// <summary>The power of a host fails: nothing that ran is left.</summary>
    KillHost,

    /// <summary>A host stands still, kernel, guests and all, and wakes later.</summary>
    SuspendHost,

    /// <summary>The clock of the database is set forward.</summary>
    SetClock,

    /// <summary>Two hosts do not hear of each other.</summary>
    CutLink,

    /// <summary>Messages between two hosts are lost or late, one in four each.</summary>
    DisturbLink,

    /// <summary>Postgres is down.</summary>
    StopPostgres,

    /// <summary>One host does not reach Postgres.</summary>
    CutPostgres,

    /// <summary>Postgres takes requests and answers late.</summary>
    SlowPostgres,

    /// <summary>Orleans' directory is of two minds: calls for a migration find one activation here and one there.</summary>
    SplitDirectory,
}
