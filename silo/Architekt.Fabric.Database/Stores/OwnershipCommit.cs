using Architekt.Fabric.Grains;
using Npgsql;

namespace Architekt.Fabric.Database;

/// <summary>
/// The two statements that decide who runs a VM. Both start with the VM's row and are settled there: the commit takes the
/// reservation as its condition, the withdrawal takes the reservation away, and whoever comes second waits for the row's lock and then
/// finds the reservation gone. What became of a commit whose answer was lost can therefore always be found out by withdrawing it.
/// </summary>
internal sealed class OwnershipCommit
{
    // Each step takes its rows from the one before, which fixes the order of locks: vm, operation, event.
    // A source that dies once everything was handed over is recorded as the VM's end, which this shows it was not: $6 says that it runs.
    private const string Commit = $"""
        WITH moved AS (
            UPDATE fabric.vm SET host = $3, epoch = $7, disk_epoch = $7, owned_since = now(), reserved_by = NULL,
                state = CASE WHEN $6 AND state IN ('Failed', 'Stopped') THEN 'Running' ELSE state END,
                reason = CASE WHEN $6 THEN NULL ELSE reason END
            WHERE name = $1 AND host = $2 AND epoch = $4 AND epoch < $7 AND reserved_by = $5
            RETURNING name, host, epoch, owned_since),
        kept AS (
            INSERT INTO fabric.ownership_history (vm, epoch, host, operation, change, since)
            SELECT name, epoch, host, $5, 'Migrated', owned_since FROM moved),
        next AS (
            UPDATE fabric.operation SET phase = 'Run' FROM moved WHERE id = $5 RETURNING id)
        INSERT INTO fabric.event (kind, vm, host, operation, epoch, message)
        SELECT '{EventKinds.VmMoved}', name, host, $5, epoch, name || ' moved from ' || $2 || ' to ' || host || '.'
        FROM moved LEFT JOIN next ON true
        RETURNING {Rows.EventColumns}
        """;

    private const string Withdraw = $"""
        WITH released AS (
            UPDATE fabric.vm SET reserved_by = NULL WHERE name = $1 AND reserved_by = $2 RETURNING name, host, epoch)
        INSERT INTO fabric.event (kind, vm, host, operation, epoch, message)
        SELECT '{EventKinds.MigrationWithdrawn}', name, host, $2, epoch,
            'The migration of ' || name || ' was withdrawn; ' || host || ' stays the owner.'
        FROM released
        RETURNING {Rows.EventColumns}
        """;

    private const string Look = """
        SELECT CASE
            WHEN EXISTS (SELECT 1 FROM fabric.ownership_history WHERE operation = $1) THEN 'AlreadyCommitted'
            WHEN EXISTS (SELECT 1 FROM fabric.vm WHERE name = $2 AND host = $3 AND epoch = $4) THEN 'Withdrawn'
            ELSE 'TakenOver' END
        """;

    private readonly FabricDatabase _database;
    private readonly IEventSink _sink;

    internal OwnershipCommit(FabricDatabase database, IEventSink sink)
    {
        _database = database;
        _sink = sink;
    }

    internal Task<CommitOutcome> CommitAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        RunAsync(plan, isRehearsal: false, cancellationToken);

    // The same way with the same rows, undone: what server, client and compiler do for the first time then costs nobody a pause.
    internal Task<CommitOutcome> RehearseAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        _database.RepeatAsync(() => RunAsync(plan, isRehearsal: true, cancellationToken));

    internal async Task<WithdrawOutcome> WithdrawAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        FabricEvent? recorded;
        WithdrawOutcome outcome;
        try
        {
            await using var connection = await _database.Source.OpenConnectionAsync(cancellationToken);
            await using (var release = new NpgsqlCommand(Withdraw, connection).With(Rows.Text(plan.Vm), Rows.Text(plan.Operation)))
                recorded = await release.ReadFirstAsync(Rows.ReadEvent, cancellationToken);

            // After, and in a statement of its own: the release may have waited for the commit it lost to, which its own snapshot
            // does not show.
            await using var look = new NpgsqlCommand(Look, connection)
                .With(Rows.Text(plan.Operation), Rows.Text(plan.Vm), Rows.Text(plan.Source), Rows.Number(plan.Epoch));
            outcome = Enum.Parse<WithdrawOutcome>((string)(await look.ExecuteScalarAsync(cancellationToken))!);
        }
        catch (Exception e) when (DatabaseErrors.Translate(e, _database.Connection) is { Code: FabricErrorCode.Unavailable })
        {
            return WithdrawOutcome.Unknown;
        }

        if (recorded is not null) _sink.Publish(recorded);
        return outcome;
    }

    private async Task<CommitOutcome> RunAsync(MigrationPlan plan, bool isRehearsal, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        FabricEvent? recorded;
        try
        {
            await using var connection = await _database.CommitSource.OpenConnectionAsync(cancellationToken);
            await using var transaction = isRehearsal ? await connection.BeginTransactionAsync(cancellationToken) : null;
            recorded = await ExecuteAsync(connection, plan, cancellationToken);
            if (transaction is not null) await transaction.RollbackAsync(cancellationToken);
        }
        catch (Exception e) when (!isRehearsal && (e is OperationCanceledException || DatabaseErrors.Translate(e, _database.Connection) is not null))
        {
            // Also for what the server rejected: one way to find out is enough, and it is the one that is always right.
            return CommitOutcome.Unknown;
        }

        if (recorded is null) return CommitOutcome.Refused;
        if (!isRehearsal) _sink.Publish(recorded);
        return CommitOutcome.Committed;
    }

    private static async Task<FabricEvent?> ExecuteAsync(NpgsqlConnection connection, MigrationPlan plan, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Commit, connection).With(
            Rows.Text(plan.Vm), Rows.Text(plan.Source), Rows.Text(plan.Destination), Rows.Number(plan.Epoch), Rows.Text(plan.Operation),
            Rows.Flag(!plan.IsStopped), Rows.Number(plan.NextEpoch));

        // Costs a round trip the first time on a connection and none after.
        await command.PrepareAsync(cancellationToken);
        return await command.ReadFirstAsync(Rows.ReadEvent, cancellationToken);
    }
}
