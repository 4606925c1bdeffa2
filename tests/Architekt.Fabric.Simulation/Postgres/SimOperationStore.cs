using Architekt.Fabric.Grains;
using Architekt.Fabric.Simulation.Bugs;
using Architekt.Fabric.Simulation.Histories;
using Architekt.Fabric.Simulation.Scheduling;

namespace Architekt.Fabric.Simulation.Postgres;

/// <summary>The operations as one silo reaches them.</summary>
internal sealed class SimOperationStore(World world, SimProcess silo, int host) : IOperationStore
{
    private Tables Tables => world.Tables;

    public Task<OperationInfo> BeginAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        AskAsync(
            Point.Begin,
            () =>
            {
                var isNew = Tables.Find(plan.Operation) is null;
                var info = Tables.Begin(plan, countsEpochs: world.Bug != SeededBug.EpochGivenBack);
                if (isNew) world.Observer.Given(info.Epoch);
                return info;
            },
            cancellationToken);

    public Task<OperationInfo?> FindAsync(string id, CancellationToken cancellationToken) =>
        AskAsync(Point.FindOperation, () => Seen(Tables.Find(id)), cancellationToken);

    public Task<MigrationPlan?> FindPlanAsync(string id, CancellationToken cancellationToken) =>
        AskAsync(Point.FindOperation, () => Tables.FindPlan(id), cancellationToken);

    public Task<MigrationResult?> FindResultAsync(string id, CancellationToken cancellationToken) =>
        AskAsync(Point.FindOperation, () => Tables.FindResult(id), cancellationToken);

    public Task<IReadOnlyList<OperationInfo>> ListUnfinishedAsync(string host, CancellationToken cancellationToken) =>
        AskAsync(Point.FindOperation, () => Tables.ListUnfinished(host), cancellationToken);

    public Task<IReadOnlyList<OperationInfo>> ListAsync(string? vm, int limit, CancellationToken cancellationToken) =>
        AskAsync<IReadOnlyList<OperationInfo>>(Point.FindOperation, () => [.. Tables.Operations.Reverse().Take(limit)], cancellationToken);

    public Task<IReadOnlyList<OperationInfo>> ListRunningAsync(string? vm, int limit, CancellationToken cancellationToken) =>
        AskAsync<IReadOnlyList<OperationInfo>>(
            Point.FindOperation,
            () => [.. Tables.Operations.Reverse().Where(operation => operation.Outcome == OperationOutcome.Running).Take(limit)],
            cancellationToken);

    public Task SetPhaseAsync(string id, MigrationPhase phase, CancellationToken cancellationToken) =>
        AskAsync(Point.SetPhase, () => Tables.SetPhase(id, phase), cancellationToken);

    public Task EndAsync(MigrationResult result, CancellationToken cancellationToken) =>
        AskAsync(Point.End, () => Tables.End(result), cancellationToken);

    public Task<OperationInfo> BeginCheckpointAsync(CheckpointPlan plan, CancellationToken cancellationToken) =>
        AskAsync(Point.Begin, () => Tables.Begin(plan, isExclusive: world.Bug != SeededBug.CheckpointBesideMigration), cancellationToken);

    public Task<CheckpointPlan?> FindCheckpointPlanAsync(string id, CancellationToken cancellationToken) =>
        AskAsync(Point.FindOperation, () => Tables.FindCheckpointPlan(id), cancellationToken);

    public Task<CheckpointResult?> FindCheckpointResultAsync(string id, CancellationToken cancellationToken) =>
        AskAsync(Point.FindOperation, () => Tables.FindCheckpointResult(id), cancellationToken);

    public Task EndCheckpointAsync(CheckpointResult result, CancellationToken cancellationToken) =>
        AskAsync(Point.End, () => Tables.End(result), cancellationToken);

    private OperationInfo? Seen(OperationInfo? info) =>
        world.Bug == SeededBug.SwitchTakenForCommitted && info is { Phase: MigrationPhase.Switch } ? info with { Phase = MigrationPhase.Run } : info;

    private Task<T> AskAsync<T>(Point point, Func<T> statement, CancellationToken cancellationToken) =>
        world.Postgres.AskAsync(point, silo, host, statement, cancellationToken);
}
