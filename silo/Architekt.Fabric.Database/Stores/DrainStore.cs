using Architekt.Fabric.Grains;
using Npgsql;

namespace Architekt.Fabric.Database;

/// <summary>Which hosts are cordoned, and the record of drains.</summary>
public sealed class DrainStore : IDrainStore
{
    // Opening looks at the drains before it changes the host, and a drain begins by locking the host: one of them sees the other.
    private const string LockHost = "SELECT cordoned FROM fabric.host WHERE name = $1 FOR UPDATE";

    private const string SetCordoned = $"""
        WITH changed AS (UPDATE fabric.host SET cordoned = $2 WHERE name = $1 AND cordoned <> $2 RETURNING name)
        INSERT INTO fabric.event (kind, host, operation, message)
        SELECT CASE WHEN $2 THEN '{EventKinds.HostCordoned}' ELSE '{EventKinds.HostUncordoned}' END, name, $3,
            CASE WHEN $2 THEN name || ' was cordoned: it takes no new VMs and no migrations.' ELSE name || ' was uncordoned: it takes VMs again.' END
        FROM changed
        RETURNING {Rows.EventColumns}
        """;

    private const string FindRunning = $"SELECT {Rows.OperationColumns} FROM fabric.operation WHERE source = $1 AND kind = 'drain' AND outcome = 'Running'";

    private const string Find = $"SELECT {Rows.OperationColumns} FROM fabric.operation WHERE id = $1";

    private const string Insert = $"""
        INSERT INTO fabric.operation (id, kind, source, epoch, phase, outcome, plan, started_at) VALUES ($1, 'drain', $2, 0, 'Copy', 'Running', $3, $4)
        RETURNING {Rows.OperationColumns}
        """;

    private const string Record = $"""
        INSERT INTO fabric.event (kind, host, operation, message) VALUES ('{EventKinds.DrainRequested}', $1, $2, $3)
        RETURNING {Rows.EventColumns}
        """;

    private const string WriteState = "UPDATE fabric.operation SET progress = $2 WHERE id = $1 AND kind = 'drain' AND outcome = 'Running'";

    private const string End = $"""
        WITH ended AS (
            UPDATE fabric.operation SET phase = 'Done', outcome = $2, reason = $3, result = $4, ended_at = now()
            WHERE id = $1 AND kind = 'drain' AND outcome = 'Running'
            RETURNING id, source)
        INSERT INTO fabric.event (kind, host, operation, message)
        SELECT '{EventKinds.DrainEnded}', source, id, $5 FROM ended
        RETURNING {Rows.EventColumns}
        """;

    private readonly FabricDatabase _database;
    private readonly IEventSink _sink;

    /// <summary>Creates the store.</summary>
    public DrainStore(FabricDatabase database, IEventSink sink)
    {
        _database = database;
        _sink = sink;
    }

    /// <inheritdoc />
    public async Task<bool> SetCordonedAsync(string host, bool isCordoned, CancellationToken cancellationToken)
    {
        var (isKnown, recorded) = await _database.RepeatAsync(async () =>
        {
            await using var connection = await _database.Source.OpenConnectionAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            if (await new NpgsqlCommand(LockHost, connection).With(Rows.Text(host)).ExecuteScalarAsync(cancellationToken) is null) return (false, null);
            if (!isCordoned && await FindRunningAsync(connection, host, cancellationToken) is { } drain)
                throw FabricException.Conflict($"Host '{host}' is being drained by operation '{drain.Id}'; wait for it or cancel it, then uncordon the host.");
            var changed = await CordonAsync(connection, host, isCordoned, operation: null, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return (true, changed);
        });
        if (recorded is not null) _sink.Publish(recorded);
        return isKnown;
    }

    /// <inheritdoc />
    public async Task<OperationInfo> BeginAsync(DrainPlan plan, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var (operation, recorded) = await _database.RepeatAsync(() => BeginOnceAsync(plan, cancellationToken));
        foreach (var happened in recorded) _sink.Publish(happened);
        return operation;
    }

    /// <inheritdoc />
    public async Task<DrainPlan?> FindPlanAsync(string id, CancellationToken cancellationToken) =>
        await FindJsonAsync("plan", id, cancellationToken) is { } json ? DatabaseJson.Read(json, DatabaseJson.Default.DrainPlan) : null;

    /// <inheritdoc />
    public async Task<DrainState> ReadStateAsync(string id, CancellationToken cancellationToken) =>
        await FindJsonAsync("progress", id, cancellationToken) is { } json ? DatabaseJson.Read(json, DatabaseJson.Default.DrainState) : DrainState.Begin;

    /// <inheritdoc />
    public async Task<DrainResult?> FindResultAsync(string id, CancellationToken cancellationToken) =>
        await FindJsonAsync("result", id, cancellationToken) is { } json ? DatabaseJson.Read(json, DatabaseJson.Default.DrainResult) : null;

    /// <inheritdoc />
    public async Task WriteStateAsync(string id, DrainState state, CancellationToken cancellationToken)
    {
        var rows = await _database.RepeatAsync(async () =>
        {
            await using var command = _database.Source.CreateCommand(WriteState).With(Rows.Text(id), Rows.Json(DatabaseJson.Write(state, DatabaseJson.Default.DrainState)));
            return await command.ExecuteNonQueryAsync(cancellationToken);
        });
        if (rows == 0) throw FabricException.Conflict($"Drain '{id}' has ended; somebody else has driven it on.");
    }

    /// <inheritdoc />
    public async Task EndAsync(DrainResult result, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(result);
        if (result.Outcome == OperationOutcome.Running) throw FabricException.Invalid($"Drain '{result.Operation}' cannot end with the outcome {result.Outcome}.");
        var recorded = await _database.GuardAsync(async () =>
        {
            await using var command = _database.Source.CreateCommand(End).With(
                Rows.Text(result.Operation), Rows.Text(result.Outcome.ToString()), Rows.Text(result.Reason),
                Rows.Json(DatabaseJson.Write(result, DatabaseJson.Default.DrainResult)), Rows.Text(Sentence(result)));
            return await command.ReadFirstAsync(Rows.ReadEvent, cancellationToken);
        });
        if (recorded is not null) _sink.Publish(recorded);
    }

    private async Task<(OperationInfo Operation, IReadOnlyList<FabricEvent> Recorded)> BeginOnceAsync(DrainPlan plan, CancellationToken cancellationToken)
    {
        await using var connection = await _database.Source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var isKnownHost = await new NpgsqlCommand(LockHost, connection).With(Rows.Text(plan.Host)).ExecuteScalarAsync(cancellationToken) is not null;
        if (await new NpgsqlCommand(Find, connection).With(Rows.Text(plan.Operation)).ReadFirstAsync(Rows.ReadOperation, cancellationToken) is { } known) return (known, []);
        if (!isKnownHost) throw FabricException.NotFound($"There is no host '{plan.Host}'.");
        if (await FindRunningAsync(connection, plan.Host, cancellationToken) is { } running)
            throw FabricException.Conflict($"Host '{plan.Host}' is being drained by operation '{running.Id}'; watch it, or cancel it first.");

        var operation = await new NpgsqlCommand(Insert, connection).With(
            Rows.Text(plan.Operation), Rows.Text(plan.Host), Rows.Json(DatabaseJson.Write(plan, DatabaseJson.Default.DrainPlan)), Rows.Time(plan.RequestedAt))
            .ReadFirstAsync(Rows.ReadOperation, cancellationToken);
        var cordoned = await CordonAsync(connection, plan.Host, isCordoned: true, plan.Operation, cancellationToken);
        var requested = await new NpgsqlCommand(Record, connection).With(
            Rows.Text(plan.Host), Rows.Text(plan.Operation), Rows.Text($"A drain of {plan.Host} was asked for."))
            .ReadFirstAsync(Rows.ReadEvent, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return (operation!, cordoned is null ? [requested!] : [cordoned, requested!]);
    }

    private static Task<FabricEvent?> CordonAsync(NpgsqlConnection connection, string host, bool isCordoned, string? operation, CancellationToken cancellationToken) =>
        new NpgsqlCommand(SetCordoned, connection).With(Rows.Text(host), Rows.Flag(isCordoned), Rows.Text(operation)).ReadFirstAsync(Rows.ReadEvent, cancellationToken);

    private static Task<OperationInfo?> FindRunningAsync(NpgsqlConnection connection, string host, CancellationToken cancellationToken) =>
        new NpgsqlCommand(FindRunning, connection).With(Rows.Text(host)).ReadFirstAsync(Rows.ReadOperation, cancellationToken);

    private static string Sentence(DrainResult result) => result.Outcome == OperationOutcome.Succeeded
        ? $"The drain of {result.Host} succeeded after {result.TotalMs:0} ms: {result.Vms.Count(vm => vm.State == DrainedVmState.Moved)} VMs were moved."
        : $"The drain of {result.Host} {(result.Outcome == OperationOutcome.Cancelled ? "was cancelled" : "failed")}: {result.Reason?.TrimEnd('.')}.";

    private Task<string?> FindJsonAsync(string column, string id, CancellationToken cancellationToken) => _database.RepeatAsync(async () =>
    {
        await using var command = _database.Source.CreateCommand($"SELECT {column}::text FROM fabric.operation WHERE id = $1 AND kind = 'drain'").With(Rows.Text(id));
        return await command.ExecuteScalarAsync(cancellationToken) as string;
    });
}
