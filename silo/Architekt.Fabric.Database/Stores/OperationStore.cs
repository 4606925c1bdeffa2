using Architekt.Fabric.Grains;
using Npgsql;

namespace Architekt.Fabric.Database;

/// <summary>The record of operations. At most one runs per VM.</summary>
public sealed class OperationStore : IOperationStore
{
    /// <summary>Most operations one list returns.</summary>
    public const int MaxLimit = 1000;

    private const string Find = $"SELECT {Rows.OperationColumns} FROM fabric.operation WHERE id = $1";

    private const string List =
        $"SELECT {Rows.OperationColumns} FROM fabric.operation WHERE $1 IS NULL OR vm = $1 ORDER BY started_at DESC, id LIMIT $2";

    private const string ListRunning =
        $"SELECT {Rows.OperationColumns} FROM fabric.operation WHERE outcome = 'Running' AND ($1 IS NULL OR vm = $1) ORDER BY started_at DESC, id LIMIT $2";

    private const string ListUnfinished = $"""
        SELECT {Rows.OperationColumns} FROM fabric.operation
        WHERE outcome = 'Running' AND (source = $1 OR destination = $1) ORDER BY started_at, id
        """;

    private const string SetPhase = $"""
        WITH changed AS (
            UPDATE fabric.operation SET phase = $2 WHERE id = $1 AND outcome = 'Running' RETURNING id, kind, vm, source, destination, epoch, phase)
        INSERT INTO fabric.event (kind, vm, host, operation, epoch, message)
        SELECT CASE kind WHEN 'checkpoint' THEN '{EventKinds.CheckpointPhase}' ELSE '{EventKinds.MigrationPhase}' END, vm, destination, id, epoch,
            CASE kind WHEN 'checkpoint' THEN 'The checkpoint of ' || vm || ' on ' || source
                ELSE 'The migration of ' || vm || ' from ' || source || ' to ' || destination END || ' enters ' || lower(phase) || '.'
        FROM changed
        RETURNING {Rows.EventColumns}
        """;

    // The reservation goes first, as in a withdrawal: a commit that comes later finds it gone. Counting it is what makes the end wait for it.
    private const string End = $"""
        WITH released AS (
            UPDATE fabric.vm SET reserved_by = NULL
            WHERE name = (SELECT vm FROM fabric.operation WHERE id = $1) AND reserved_by = $1
            RETURNING name),
        ended AS (
            UPDATE fabric.operation SET phase = 'Done', outcome = $2, reason = $3, result = $4, ended_at = now()
            WHERE id = $1 AND outcome = 'Running' AND (SELECT count(*) FROM released) >= 0
            RETURNING id, vm)
        INSERT INTO fabric.event (kind, vm, host, operation, epoch, message)
        SELECT $8, vm, $5, id, $6, $7 FROM ended
        RETURNING {Rows.EventColumns}
        """;

    private readonly FabricDatabase _database;
    private readonly IEventSink _sink;
    private readonly OperationBegin _begin;

    /// <summary>Creates the store.</summary>
    public OperationStore(FabricDatabase database, IEventSink sink)
    {
        _database = database;
        _sink = sink;
        _begin = new OperationBegin(database, sink);
    }

    /// <inheritdoc />
    /// <exception cref="FabricException">
    /// Also <see cref="FabricErrorCode.NotFound"/>: there is no such VM; <see cref="FabricErrorCode.InvalidArgument"/>: the plan names no operation.
    /// </exception>
    public Task<OperationInfo> BeginAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return _begin.RunAsync(NewOperation.Of(plan), cancellationToken);
    }

    /// <inheritdoc />
    /// <exception cref="FabricException">As for <see cref="BeginAsync"/>.</exception>
    public Task<OperationInfo> BeginCheckpointAsync(CheckpointPlan plan, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return _begin.RunAsync(NewOperation.Of(plan), cancellationToken);
    }

    /// <inheritdoc />
    public Task<OperationInfo?> FindAsync(string id, CancellationToken cancellationToken) => _database.RepeatAsync(async () =>
    {
        await using var command = _database.Source.CreateCommand(Find).With(Rows.Text(id));
        return await command.ReadFirstAsync(Rows.ReadOperation, cancellationToken);
    });

    /// <inheritdoc />
    public async Task<MigrationPlan?> FindPlanAsync(string id, CancellationToken cancellationToken) =>
        await FindJsonAsync("plan", OperationKinds.Migrate, id, cancellationToken) is { } json ? DatabaseJson.Read(json, DatabaseJson.Default.MigrationPlan) : null;

    /// <inheritdoc />
    public async Task<MigrationResult?> FindResultAsync(string id, CancellationToken cancellationToken) =>
        await FindJsonAsync("result", OperationKinds.Migrate, id, cancellationToken) is { } json ? DatabaseJson.Read(json, DatabaseJson.Default.MigrationResult) : null;

    /// <inheritdoc />
    public async Task<CheckpointPlan?> FindCheckpointPlanAsync(string id, CancellationToken cancellationToken) =>
        await FindJsonAsync("plan", OperationKinds.Checkpoint, id, cancellationToken) is { } json ? DatabaseJson.Read(json, DatabaseJson.Default.CheckpointPlan) : null;

    /// <inheritdoc />
    public async Task<CheckpointResult?> FindCheckpointResultAsync(string id, CancellationToken cancellationToken) =>
        await FindJsonAsync("result", OperationKinds.Checkpoint, id, cancellationToken) is { } json ? DatabaseJson.Read(json, DatabaseJson.Default.CheckpointResult) : null;

    /// <inheritdoc />
    /// <exception cref="FabricException"><see cref="FabricErrorCode.InvalidArgument"/>: the limit is not 1 to <see cref="MaxLimit"/>.</exception>
    public Task<IReadOnlyList<OperationInfo>> ListAsync(string? vm, int limit, CancellationToken cancellationToken) =>
        ReadAsync(List, cancellationToken, Rows.Text(vm), Limit(limit));

    /// <inheritdoc />
    /// <exception cref="FabricException">As for <see cref="ListAsync"/>.</exception>
    public Task<IReadOnlyList<OperationInfo>> ListRunningAsync(string? vm, int limit, CancellationToken cancellationToken) =>
        ReadAsync(ListRunning, cancellationToken, Rows.Text(vm), Limit(limit));

    /// <inheritdoc />
    public Task<IReadOnlyList<OperationInfo>> ListUnfinishedAsync(string host, CancellationToken cancellationToken) =>
        ReadAsync(ListUnfinished, cancellationToken, Rows.Text(host));

    /// <inheritdoc />
    /// <exception cref="FabricException">
    /// <see cref="FabricErrorCode.NotFound"/>: no such operation; <see cref="FabricErrorCode.Conflict"/>: it has ended.
    /// </exception>
    public async Task SetPhaseAsync(string id, MigrationPhase phase, CancellationToken cancellationToken)
    {
        if (await WriteAsync(SetPhase, cancellationToken, Rows.Text(id), Rows.Text(phase.ToString()))) return;
        var found = await FindAsync(id, cancellationToken) ?? throw Unknown(id);
        throw FabricException.Conflict($"Operation '{id}' has ended ({found.Outcome}) and cannot enter {phase}; somebody else has taken it over.");
    }

    /// <inheritdoc />
    /// <exception cref="FabricException">
    /// <see cref="FabricErrorCode.NotFound"/>: no such operation; <see cref="FabricErrorCode.InvalidArgument"/>: the result says it is running.
    /// </exception>
    public Task EndAsync(MigrationResult result, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(result);
        return EndAsync(
            result.Operation, result.Outcome, result.Reason, DatabaseJson.Write(result, DatabaseJson.Default.MigrationResult),
            result.RunsOn, result.Epoch, Sentence(result), EventKinds.MigrationEnded, cancellationToken);
    }

    /// <inheritdoc />
    /// <exception cref="FabricException">As for <see cref="EndAsync(MigrationResult, CancellationToken)"/>.</exception>
    public Task EndCheckpointAsync(CheckpointResult result, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(result);
        return EndAsync(
            result.Operation, result.Outcome, result.Reason, DatabaseJson.Write(result, DatabaseJson.Default.CheckpointResult),
            result.Host, epoch: null, Sentence(result), EventKinds.CheckpointEnded, cancellationToken);
    }

    private async Task EndAsync(
        string operation, OperationOutcome outcome, string? reason, string json, string host, long? epoch, string message, string kind, CancellationToken cancellationToken)
    {
        if (outcome == OperationOutcome.Running)
            throw FabricException.Invalid($"Operation '{operation}' cannot end with the outcome {outcome}.");

        var ended = await WriteAsync(
            End, cancellationToken,
            Rows.Text(operation), Rows.Text(outcome.ToString()), Rows.Text(reason), Rows.Json(json),
            Rows.Text(host), Rows.Number(epoch), Rows.Text(message), Rows.Text(kind));
        if (!ended && await FindAsync(operation, cancellationToken) is null)
            throw Unknown(operation);
    }

    private static NpgsqlParameter Limit(int limit) => limit is < 1 or > MaxLimit
        ? throw FabricException.Invalid($"The number of operations to list is {limit}; it must be 1 to {MaxLimit}.")
        : Rows.Number(limit);

    private static FabricException Unknown(string id) => FabricException.NotFound($"There is no operation '{id}'.");

    private static string Sentence(CheckpointResult result) => result.Outcome switch
    {
        OperationOutcome.Succeeded => $"Package {result.PackageName} was made of {result.Vm} on {result.Host} after {result.TotalMs:0} ms.",
        OperationOutcome.Cancelled => $"The checkpoint of {result.Vm} was cancelled.",
        _ => $"The checkpoint of {result.Vm} failed: {result.Reason?.TrimEnd('.')}.",
    };

    private static string Sentence(MigrationResult result)
    {
        var migration = $"The migration of {result.Vm} from {result.From} to {result.To}";
        return result.Outcome switch
        {
            OperationOutcome.Succeeded when result.PauseMs is { } pause => $"{migration} succeeded after {result.TotalMs:0} ms with a pause of {pause:0.0} ms.",
            OperationOutcome.Succeeded => $"{migration} succeeded after {result.TotalMs:0} ms.",
            OperationOutcome.Cancelled => $"{migration} was cancelled; it is on {result.RunsOn}.",
            _ when result.ErrorCode == FabricErrorCode.StaleEpoch => $"{migration} failed: {result.Reason?.TrimEnd('.')}.",
            _ => $"{migration} failed: {result.Reason?.TrimEnd('.')}; it is on {result.RunsOn}.",
        };
    }

    private Task<string?> FindJsonAsync(string column, string kind, string id, CancellationToken cancellationToken) => _database.RepeatAsync(async () =>
    {
        await using var command = _database.Source.CreateCommand($"SELECT {column}::text FROM fabric.operation WHERE id = $1 AND kind = $2")
            .With(Rows.Text(id), Rows.Text(kind));
        return await command.ExecuteScalarAsync(cancellationToken) as string;
    });

    private Task<IReadOnlyList<OperationInfo>> ReadAsync(string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters) =>
        _database.RepeatAsync<IReadOnlyList<OperationInfo>>(async () =>
        {
            await using var command = _database.Source.CreateCommand(sql).With(parameters);
            return await command.ReadAllAsync(Rows.ReadOperation, cancellationToken);
        });

    private async Task<bool> WriteAsync(string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        var recorded = await _database.GuardAsync(async () =>
        {
            await using var command = _database.Source.CreateCommand(sql).With(parameters);
            return await command.ReadFirstAsync(Rows.ReadEvent, cancellationToken);
        });
        if (recorded is not null) _sink.Publish(recorded);
        return recorded is not null;
    }
}
