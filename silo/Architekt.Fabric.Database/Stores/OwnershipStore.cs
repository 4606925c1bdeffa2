using Architekt.Fabric.Grains;
using Npgsql;
using NpgsqlTypes;

namespace Architekt.Fabric.Database;

/// <summary>Changes of ownership other than by a migration. Each begins with the VM's row and has the epoch in its condition.</summary>
public sealed partial class OwnershipStore : IOwnershipStore
{
    private const string FindOwner = """
        SELECT name, CASE state WHEN 'Lost' THEN NULL ELSE host END, epoch, state, owned_since, reserved_by, has_lease, lease_until,
            extract(epoch FROM lease_until - clock_timestamp())::float8 * 1000, restart, restarts
        FROM fabric.vm WHERE name = $1
        """;

    private const string ReadHistory = """
        SELECT id, since, vm, epoch, host, change, operation, reason
        FROM (SELECT * FROM fabric.ownership_history WHERE vm = $1 ORDER BY id DESC LIMIT $2) AS newest ORDER BY id
        """;

    private const string ListFailed = $"""
        SELECT {Rows.VmColumns}, restarts, state_since - owned_since, clock_timestamp() - state_since
        FROM fabric.vm AS v
        WHERE host = $1 AND state = 'Failed' AND restart = 'OnFailure' AND reserved_by IS NULL
          AND NOT EXISTS (SELECT 1 FROM fabric.operation AS o WHERE o.vm = v.name AND o.outcome = 'Running')
        ORDER BY name
        """;

    // That nothing is under way is asked again: a migration of the failed VM may have begun since.
    private const string Restart = $"""
        WITH restarted AS (
            UPDATE fabric.vm AS v SET epoch = last_epoch + 1, last_epoch = last_epoch + 1, state = 'Starting', owned_since = now(), state_since = now(), restarts = $4, disk_epoch = $5
            WHERE name = $1 AND host = $2 AND epoch = $3 AND state = 'Failed' AND restart = 'OnFailure' AND reserved_by IS NULL
              AND NOT EXISTS (SELECT 1 FROM fabric.operation AS o WHERE o.vm = v.name AND o.outcome = 'Running')
            RETURNING {Rows.VmColumns}),
        kept AS (
            INSERT INTO fabric.ownership_history (vm, epoch, host, change, reason, since)
            SELECT name, epoch, host, 'Restarted', reason, owned_since FROM restarted),
        recorded AS (
            INSERT INTO fabric.event (kind, vm, host, epoch, message)
            SELECT '{EventKinds.VmRestarted}', name, host, epoch, name || ' is started again on ' || host || ' (' || $4 || ' in a row): ' || coalesce(reason, 'it had failed')
            FROM restarted
            RETURNING {Rows.EventColumns})
        SELECT restarted.*, recorded.* FROM restarted, recorded
        """;

    private const int VmColumnCount = 11;

    private readonly FabricDatabase _database;
    private readonly IEventSink _sink;

    /// <summary>Creates the store.</summary>
    public OwnershipStore(FabricDatabase database, IEventSink sink)
    {
        _database = database;
        _sink = sink;
    }

    /// <inheritdoc />
    public Task<VmOwner?> FindOwnerAsync(string vm, CancellationToken cancellationToken) => _database.RepeatAsync(async () =>
    {
        await using var command = _database.Source.CreateCommand(FindOwner).With(Rows.Text(vm));
        return await command.ReadFirstAsync(
            static row => new VmOwner(
                row.GetString(0), row.Text(1), row.GetInt64(2), Enum.Parse<VmState>(row.GetString(3)), row.Time(4), row.Text(5),
                row.GetBoolean(6) ? VmAvailability.Failover : VmAvailability.Normal,
                row.IsDBNull(7) ? null : row.Time(7), row.IsDBNull(8) ? null : row.GetDouble(8),
                Enum.Parse<VmRestart>(row.GetString(9)), row.GetInt32(10)),
            cancellationToken);
    });

    /// <inheritdoc />
    public Task<IReadOnlyList<OwnershipEntry>> ReadHistoryAsync(string vm, int limit, CancellationToken cancellationToken) =>
        ReadAsync(
            ReadHistory,
            static row => new OwnershipEntry(
                row.GetInt64(0), row.Time(1), row.GetString(2), row.GetInt64(3), row.Text(4),
                Enum.Parse<OwnershipChange>(row.GetString(5)), row.Text(6), row.Text(7)),
            cancellationToken,
            Rows.Text(vm), Rows.Number(limit));

    /// <inheritdoc />
    public Task<IReadOnlyList<FailedVm>> ListFailedAsync(string host, CancellationToken cancellationToken) =>
        ReadAsync(
            ListFailed,
            static row => new FailedVm(
                Rows.ReadVm(row), row.GetInt32(VmColumnCount), row.GetTimeSpan(VmColumnCount + 1), row.GetTimeSpan(VmColumnCount + 2)),
            cancellationToken,
            Rows.Text(host));

    /// <inheritdoc />
    public async Task<VmRecord?> RestartAsync(FailedVm seen, int restarts, long diskEpoch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(seen);
        var info = seen.Vm.Info;
        var restarted = await ChangeAsync(
            Restart, cancellationToken,
            Rows.Text(info.Name), Rows.Text(info.Host), Rows.Number(info.Epoch),
            new() { NpgsqlDbType = NpgsqlDbType.Integer, Value = restarts }, Rows.Number(diskEpoch));
        return restarted.Count == 0 ? null : restarted[0];
    }

    private Task<IReadOnlyList<T>> ReadAsync<T>(
        string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken, params NpgsqlParameter[] parameters) =>
        _database.RepeatAsync<IReadOnlyList<T>>(async () =>
        {
            await using var command = _database.Source.CreateCommand(sql).With(parameters);
            return await command.ReadAllAsync(read, cancellationToken);
        });

    /// <summary>Runs a statement that returns each changed VM beside the event that tells of it.</summary>
    private async Task<IReadOnlyList<VmRecord>> ChangeAsync(string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        var changed = await _database.GuardAsync(async () =>
        {
            await using var command = _database.Source.CreateCommand(sql).With(parameters);
            return await command.ReadAllAsync(static row => (Vm: Rows.ReadVm(row), Event: Rows.ReadEvent(row, VmColumnCount)), cancellationToken);
        });
        foreach (var (_, recorded) in changed) _sink.Publish(recorded);
        return [.. changed.Select(static pair => pair.Vm)];
    }
}
