using Architekt.Fabric.Grains;
using Architekt.Fabric.Simulation.Bugs;
using Architekt.Fabric.Simulation.Histories;
using Architekt.Fabric.Simulation.Hosts;

namespace Architekt.Fabric.Simulation.Postgres;

/// <summary>The VMs as one silo reaches them.</summary>
internal sealed class SimVmStore(World world, SimSilo silo) : IVmStore
{
    private Tables Tables => world.Tables;

    public Task<VmRecord?> FindAsync(string vm, CancellationToken cancellationToken) =>
        AskAsync<VmRecord?>(Point.FindVm, () => Tables.Record, cancellationToken);

    public Task<bool> SetStateAsync(string vm, long epoch, VmState state, string? reason, string? message, CancellationToken cancellationToken) =>
        AskAsync(
            Point.SetState,
            () =>
            {
                var isSet = Tables.SetState(epoch, state, reason, compares: world.Bug != SeededBug.StartsWhileMoved);
                if (isSet) world.Observer.Recorded();
                return isSet;
            },
            cancellationToken);

    public async Task<CommitOutcome> CommitAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        var confirmed = silo.Confirmations.GetValueOrDefault(plan.Operation, world.Scheduler.Now);
        try
        {
            return await AskAsync(
                Point.Commit,
                () =>
                {
                    var outcome = Tables.Commit(plan, compares: world.Bug != SeededBug.CommitWithoutCompare);
                    if (outcome != CommitOutcome.Committed) return outcome;
                    world.Observer.Moved();
                    if (plan.IsStopped)
                    {
                        world.Observer.MovedStopped((plan.Source, plan.Epoch), (plan.Destination, plan.NextEpoch));
                        return outcome;
                    }

                    if (world.Peers.FindLast(peer => peer.Machine.Name == plan.Destination && peer.Epoch == plan.NextEpoch) is { LostAt: { } lost } && lost < confirmed)
                        world.Observer.Violate($"{plan.Operation} was committed although its destination had died before");
                    return outcome;
                },
                cancellationToken);
        }
        catch (FabricException error) when (error.Code == FabricErrorCode.Unavailable)
        {
            return world.Bug == SeededBug.UnknownTakenForCommitted ? CommitOutcome.Committed : CommitOutcome.Unknown;
        }
    }

    public async Task<WithdrawOutcome> WithdrawAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        if (world.Bug == SeededBug.RollBackWithoutWithdraw) return WithdrawOutcome.Withdrawn;
        try
        {
            await AskAsync(
                Point.Withdraw,
                () =>
                {
                    Tables.Withdraw(plan.Operation);
                    return true;
                },
                cancellationToken);
            if (world.Bug == SeededBug.WithdrawIgnoresCommit) return WithdrawOutcome.Withdrawn;
            return await AskAsync(Point.HasCommitted, () => Tables.OutcomeOf(plan), cancellationToken);
        }
        catch (FabricException error) when (error.Code == FabricErrorCode.Unavailable)
        {
            return WithdrawOutcome.Unknown;
        }
    }

    public Task<CommitOutcome> RehearseCommitAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        AskAsync(Point.RehearseCommit, static () => CommitOutcome.Committed, cancellationToken);

    public Task<IReadOnlyList<VmRecord>> ListAsync(string? host, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task CreateAsync(VmRecord vm, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<bool> DeleteAsync(string vm, long epoch, CancellationToken cancellationToken) => throw new NotSupportedException();

    private Task<T> AskAsync<T>(Point point, Func<T> statement, CancellationToken cancellationToken) =>
        world.Postgres.AskAsync(point, silo.Process, silo.Machine.Index, statement, cancellationToken);
}
