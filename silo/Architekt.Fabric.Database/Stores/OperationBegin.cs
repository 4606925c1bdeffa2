using Architekt.Fabric.Grains;
using Npgsql;

namespace Architekt.Fabric.Database;

/// <summary>Records an operation and, for a migration, reserves an epoch that was never given out. The VM's row is locked first, so that two begins on one VM take turns.</summary>
internal sealed class OperationBegin
{
    private const string LockVm = "SELECT host, epoch, last_epoch, state FROM fabric.vm WHERE name = $1 FOR UPDATE";

    private const string FindKnown = $"SELECT {Rows.OperationColumns} FROM fabric.operation WHERE id = $1";

    private const string FindRunning = $"SELECT {Rows.OperationColumns} FROM fabric.operation WHERE vm = $1 AND outcome = 'Running'";

    // Shared, so that a host that is being cordoned is waited for; a cordon waits for a migration that is being begun, and a drain then finds it.
    private const string LockDestination = "SELECT cordoned FROM fabric.host WHERE name = $1 FOR SHARE";

    private const string Insert = $"""
        INSERT INTO fabric.operation (id, kind, vm, source, destination, epoch, phase, outcome, plan, started_at)
        VALUES ($1, $8, $2, $3, $4, $5, 'Check', 'Running', $6, $7)
        RETURNING {Rows.OperationColumns}
        """;

    private const string Reserve = "UPDATE fabric.vm SET reserved_by = $2, last_epoch = greatest(last_epoch, $3) WHERE name = $1";

    private const string Record = $"""
        INSERT INTO fabric.event (kind, vm, host, operation, epoch, message) VALUES ($6, $1, $2, $3, $4, $5)
        RETURNING {Rows.EventColumns}
        """;

    private readonly FabricDatabase _database;
    private readonly IEventSink _sink;

    internal OperationBegin(FabricDatabase database, IEventSink sink)
    {
        _database = database;
        _sink = sink;
    }

    internal async Task<OperationInfo> RunAsync(NewOperation asked, CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(asked.Id))
            throw FabricException.Invalid($"The {asked.Kind} of '{asked.Vm}' has no operation id.");

        var (operation, recorded) = await _database.RepeatAsync(() => RunOnceAsync(asked, cancellationToken));
        if (recorded is not null) _sink.Publish(recorded);
        return operation;
    }

    private async Task<(OperationInfo Operation, FabricEvent? Recorded)> RunOnceAsync(NewOperation asked, CancellationToken cancellationToken)
    {
        await using var connection = await _database.Source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);

        var owner = await Command(LockVm, Rows.Text(asked.Vm))
            .ReadFirstAsync(row => new Owner(row.GetString(0), row.GetInt64(1), row.GetInt64(2), row.GetString(3)), cancellationToken);
        if (await FindKnownAsync() is { } known) return (known, null);

        if (owner is null)
            throw FabricException.NotFound($"There is no VM '{asked.Vm}'.");
        if (await Command(FindRunning, Rows.Text(asked.Vm)).ReadFirstAsync(Rows.ReadOperation, cancellationToken) is { } running)
            throw FabricException.Conflict(running.Kind == OperationKinds.Checkpoint
                ? $"A package is being made of VM '{asked.Vm}' by operation '{running.Id}'; wait for it or cancel it."
                : $"VM '{asked.Vm}' is being migrated from '{running.Source}' to '{running.Destination}' by operation '{running.Id}'; wait for it or cancel it.");
        if (owner.Host != asked.Source || owner.Epoch != asked.Epoch)
            throw FabricException.StaleEpoch(
                $"VM '{asked.Vm}' is owned by '{owner.Host}' with epoch {owner.Epoch}, not by '{asked.Source}' with epoch {asked.Epoch}; ask again.");

        // Its disk alone is moved, which nobody may write to: whoever starts it has said so in the row before.
        if (asked.IsStopped && owner.State is not (nameof(VmState.Stopped) or nameof(VmState.Failed)))
            throw FabricException.Conflict($"VM '{asked.Vm}' has been started since it was looked at; ask again.");

        if (asked.Kind == OperationKinds.Migrate && await Command(LockDestination, Rows.Text(asked.Destination)).ExecuteScalarAsync(cancellationToken) is true)
            throw FabricException.Conflict($"Host '{asked.Destination}' is cordoned: it takes no migrations; choose another, or open it with 'fabric host uncordon {asked.Destination}'.");

        var epoch = asked.ReservesEpoch ? owner.LastEpoch + 1 : owner.Epoch;
        try
        {
            var operation = await Command(
                Insert,
                Rows.Text(asked.Id), Rows.Text(asked.Vm), Rows.Text(asked.Source), Rows.Text(asked.Destination), Rows.Number(epoch),
                Rows.Json(asked.Plan(epoch)), Rows.Time(asked.RequestedAt), Rows.Text(asked.Kind))
                .ReadFirstAsync(Rows.ReadOperation, cancellationToken);
            await Command(Reserve, Rows.Text(asked.Vm), Rows.Text(asked.Id), Rows.Number(epoch)).ExecuteNonQueryAsync(cancellationToken);
            var recorded = await Command(
                Record,
                Rows.Text(asked.Vm), Rows.Text(asked.Source), Rows.Text(asked.Id), Rows.Number(epoch),
                Rows.Text(asked.Message), Rows.Text(asked.EventKind))
                .ReadFirstAsync(Rows.ReadEvent, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return (operation!, recorded);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // The same id was begun for another VM meanwhile; all others have waited for this VM's row.
            await transaction.RollbackAsync(cancellationToken);
            return (await FindKnownAsync() ?? throw FabricException.Conflict($"VM '{asked.Vm}' is busy with another operation."), null);
        }

        Task<OperationInfo?> FindKnownAsync() => Command(FindKnown, Rows.Text(asked.Id)).ReadFirstAsync(Rows.ReadOperation, cancellationToken);

        NpgsqlCommand Command(string sql, params ReadOnlySpan<NpgsqlParameter> parameters) => new NpgsqlCommand(sql, connection).With(parameters);
    }

    private sealed record Owner(string Host, long Epoch, long LastEpoch, string State);
}
