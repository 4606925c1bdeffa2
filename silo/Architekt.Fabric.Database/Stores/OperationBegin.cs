using Architekt.Fabric.Grains;
using Npgsql;

namespace Architekt.Fabric.Database;

/// <summary>Records a migration and reserves the next epoch for it. The VM's row is locked first, so that two begins on one VM take turns.</summary>
internal sealed class OperationBegin
{
    private const string LockVm = "SELECT host, epoch FROM fabric.vm WHERE name = $1 FOR UPDATE";

    private const string FindKnown = $"SELECT {Rows.OperationColumns} FROM fabric.operation WHERE id = $1";

    private const string FindRunning = $"SELECT {Rows.OperationColumns} FROM fabric.operation WHERE vm = $1 AND outcome = 'Running'";

    private const string Insert = $"""
        INSERT INTO fabric.operation (id, kind, vm, source, destination, epoch, phase, outcome, plan, started_at)
        VALUES ($1, 'migrate', $2, $3, $4, $5, 'Check', 'Running', $6, $7)
        RETURNING {Rows.OperationColumns}
        """;

    private const string Reserve = "UPDATE fabric.vm SET reserved_by = $2 WHERE name = $1";

    private const string Record = $"""
        INSERT INTO fabric.event (kind, vm, host, operation, epoch, message) VALUES ('{EventKinds.MigrationRequested}', $1, $2, $3, $4, $5)
        RETURNING {Rows.EventColumns}
        """;

    private readonly FabricDatabase _database;
    private readonly IEventSink _sink;

    internal OperationBegin(FabricDatabase database, IEventSink sink)
    {
        _database = database;
        _sink = sink;
    }

    internal async Task<OperationInfo> RunAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(plan);
        if (string.IsNullOrWhiteSpace(plan.Operation))
            throw FabricException.Invalid($"The migration of '{plan.Vm}' has no operation id.");

        var (operation, recorded) = await _database.RepeatAsync(() => RunOnceAsync(plan, cancellationToken));
        if (recorded is not null) _sink.Publish(recorded);
        return operation;
    }

    private async Task<(OperationInfo Operation, FabricEvent? Recorded)> RunOnceAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        await using var connection = await _database.Source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);

        var owner = await Command(LockVm, Rows.Text(plan.Vm))
            .ReadFirstAsync(row => new Owner(row.GetString(0), row.GetInt64(1)), cancellationToken);
        if (await FindKnownAsync() is { } known) return (known, null);

        if (owner is null)
            throw FabricException.NotFound($"There is no VM '{plan.Vm}'.");
        if (await Command(FindRunning, Rows.Text(plan.Vm)).ReadFirstAsync(Rows.ReadOperation, cancellationToken) is { } running)
            throw FabricException.Conflict(
                $"VM '{plan.Vm}' is being migrated from '{running.Source}' to '{running.Destination}' by operation '{running.Id}'; wait for it or cancel it.");
        if (owner.Host != plan.Source || owner.Epoch != plan.Epoch)
            throw FabricException.StaleEpoch(
                $"VM '{plan.Vm}' is owned by '{owner.Host}' with epoch {owner.Epoch}, not by '{plan.Source}' with epoch {plan.Epoch}; ask again.");

        try
        {
            var operation = await Command(
                Insert,
                Rows.Text(plan.Operation), Rows.Text(plan.Vm), Rows.Text(plan.Source), Rows.Text(plan.Destination), Rows.Number(plan.NextEpoch),
                Rows.Json(DatabaseJson.Write(plan, DatabaseJson.Default.MigrationPlan)), Rows.Time(plan.RequestedAt))
                .ReadFirstAsync(Rows.ReadOperation, cancellationToken);
            await Command(Reserve, Rows.Text(plan.Vm), Rows.Text(plan.Operation)).ExecuteNonQueryAsync(cancellationToken);
            var recorded = await Command(
                Record,
                Rows.Text(plan.Vm), Rows.Text(plan.Source), Rows.Text(plan.Operation), Rows.Number(plan.NextEpoch),
                Rows.Text($"A migration of {plan.Vm} from {plan.Source} to {plan.Destination} was asked for."))
                .ReadFirstAsync(Rows.ReadEvent, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return (operation!, recorded);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // The same id was begun for another VM meanwhile; all others have waited for this VM's row.
            await transaction.RollbackAsync(cancellationToken);
            return (await FindKnownAsync() ?? throw FabricException.Conflict($"VM '{plan.Vm}' is busy with another operation."), null);
        }

        Task<OperationInfo?> FindKnownAsync() => Command(FindKnown, Rows.Text(plan.Operation)).ReadFirstAsync(Rows.ReadOperation, cancellationToken);

        NpgsqlCommand Command(string sql, params ReadOnlySpan<NpgsqlParameter> parameters) => new NpgsqlCommand(sql, connection).With(parameters);
    }

    private sealed record Owner(string Host, long Epoch);
}
