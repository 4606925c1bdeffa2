namespace Architekt.Fabric.Silo.Reconciliation;

/// <summary>What is to become of an instance on this host.</summary>
internal enum InstanceVerdict
{
    /// <summary>It is as it should be, or nobody can tell yet.</summary>
    Leave = 0,

    /// <summary>It has no claim to run here and cannot get one.</summary>
    Remove = 1,

    /// <summary>It belongs here and still takes part in a migration that is over: it goes on.</summary>
    RollBack = 2,

    /// <summary>It became the owner by a commit whose driver died before it could say so.</summary>
    Run = 3,

    /// <summary>It runs, as it should, and its row says that it does not, or not yet.</summary>
    RecordRunning = 4,
}
