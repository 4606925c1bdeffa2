using Architekt.Fabric.Grains;

namespace Architekt.Fabric.Database;

/// <summary>An operation to record, whatever its kind.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Kind">One of <see cref="OperationKinds"/>.</param>
/// <param name="Vm">The VM it is about.</param>
/// <param name="Source">The owner the VM must have.</param>
/// <param name="Epoch">The epoch the VM must have.</param>
/// <param name="Destination">Where it leads.</param>
/// <param name="ReservesEpoch">Whether it may make another host the owner, with an epoch of its own.</param>
/// <param name="IsStopped">Whether it is about a VM that must not run.</param>
/// <param name="Plan">The plan with that epoch, as JSON.</param>
/// <param name="RequestedAt">When it was asked for.</param>
/// <param name="EventKind">Kind of the event.</param>
/// <param name="Message">Sentence of the event.</param>
internal sealed record NewOperation(
    string Id,
    string Kind,
    string Vm,
    string Source,
    long Epoch,
    string Destination,
    bool ReservesEpoch,
    bool IsStopped,
    Func<long, string> Plan,
    DateTimeOffset RequestedAt,
    string EventKind,
    string Message)
{
    internal static NewOperation Of(MigrationPlan plan) => new(
        plan.Operation,
        OperationKinds.Migrate,
        plan.Vm,
        plan.Source,
        plan.Epoch,
        plan.Destination,
        ReservesEpoch: true,
        plan.IsStopped,
        epoch => DatabaseJson.Write(plan with { ReservedEpoch = epoch }, DatabaseJson.Default.MigrationPlan),
        plan.RequestedAt,
        EventKinds.MigrationRequested,
        $"A migration of {plan.Vm} from {plan.Source} to {plan.Destination} was asked for.");

    internal static NewOperation Of(CheckpointPlan plan) => new(
        plan.Operation,
        OperationKinds.Checkpoint,
        plan.Vm,
        plan.Host,
        plan.Epoch,
        plan.Host,
        ReservesEpoch: false,
        IsStopped: false,
        _ => DatabaseJson.Write(plan, DatabaseJson.Default.CheckpointPlan),
        plan.RequestedAt,
        EventKinds.CheckpointRequested,
        $"A package {plan.Package} of {plan.Vm} on {plan.Host} was asked for.");
}
