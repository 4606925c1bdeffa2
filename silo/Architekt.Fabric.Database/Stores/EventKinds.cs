namespace Architekt.Fabric.Database;

/// <summary>The kinds of events the stores record.</summary>
public static class EventKinds
{
    /// <summary>A VM has been recorded with its first owner.</summary>
    public const string VmCreated = "vm.created";

    /// <summary>A VM has been removed.</summary>
    public const string VmDeleted = "vm.deleted";

    /// <summary>A VM has another owner.</summary>
    public const string VmMoved = "vm.moved";

    /// <summary>A VM that had failed is started again by its owner.</summary>
    public const string VmRestarted = "vm.restarted";

    /// <summary>A VM was taken over by another host.</summary>
    public const string VmFailedOver = "vm.failed-over";

    /// <summary>A VM has no owner any more, because its host was declared dead.</summary>
    public const string VmLost = "vm.lost";

    /// <summary>A VM without an owner has the one back it had.</summary>
    public const string VmReturned = "vm.returned";

    /// <summary>A migration has been asked for; it holds the right to the next epoch.</summary>
    public const string MigrationRequested = "migration.requested";

    /// <summary>A migration is about to act on a phase.</summary>
    public const string MigrationPhase = "migration.phase";

    /// <summary>A migration's right to the next epoch has been given back: it cannot commit any more.</summary>
    public const string MigrationWithdrawn = "migration.withdrawn";

    /// <summary>A migration has ended.</summary>
    public const string MigrationEnded = "migration.ended";

    /// <summary>A checkpoint has been asked for; it keeps other operations off the VM.</summary>
    public const string CheckpointRequested = "checkpoint.requested";

    /// <summary>A checkpoint is about to act on a phase.</summary>
    public const string CheckpointPhase = "checkpoint.phase";

    /// <summary>A checkpoint has ended.</summary>
    public const string CheckpointEnded = "checkpoint.ended";

    /// <summary>A host takes no new VMs and no migrations any more.</summary>
    public const string HostCordoned = "host.cordoned";

    /// <summary>A host takes VMs again.</summary>
    public const string HostUncordoned = "host.uncordoned";

    /// <summary>A drain of a host has been asked for.</summary>
    public const string DrainRequested = "drain.requested";

    /// <summary>A drain has ended.</summary>
    public const string DrainEnded = "drain.ended";

    /// <summary>A VM does something else now: <c>vm.running</c>, <c>vm.stopped</c> and so on.</summary>
    public static string Of(VmState state) => $"vm.{state.ToString().ToLowerInvariant()}";
}
