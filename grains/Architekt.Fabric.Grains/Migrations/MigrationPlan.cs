namespace Architekt.Fabric.Grains;

/// <summary>Everything that is fixed about a migration when it is asked for; stored with its operation.</summary>
/// <param name="Operation">Its id.</param>
/// <param name="Vm">The VM.</param>
/// <param name="Source">The owner.</param>
/// <param name="Destination">Where to.</param>
/// <param name="Epoch">The source's epoch, n.</param>
/// <param name="Machine">What the VM's machine is.</param>
/// <param name="Options">How.</param>
/// <param name="RequestedAt">When it was asked for.</param>
/// <param name="IsStopped">Whether the VM does not run, so that only its disk has to move.</param>
/// <param name="ReservedEpoch">The epoch that was reserved for the destination when the migration was recorded; 0 before that.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.migration-plan")]
public sealed record MigrationPlan(
    string Operation,
    string Vm,
    string Source,
    string Destination,
    long Epoch,
    MachineDescription Machine,
    MigrationOptions Options,
    DateTimeOffset RequestedAt,
    bool IsStopped = false,
    long ReservedEpoch = 0)
{
    /// <summary>The destination's epoch: nobody else was ever given it, or ever will be.</summary>
    public long NextEpoch => ReservedEpoch == 0 ? Epoch + 1 : ReservedEpoch;
}
