using Architekt.Fabric.Grains;
using Npgsql;

namespace Architekt.Fabric.Database;

/// <summary>The truth about VMs and who owns them. The commit of a migration is in <see cref="OwnershipCommit"/>.</summary>
public sealed class VmStore : IVmStore
{
    private const string Find = $"SELECT {Rows.VmColumns} FROM fabric.vm WHERE name = $1";

    private const string List = $"SELECT {Rows.VmColumns} FROM fabric.vm WHERE $1 IS NULL OR host = $1 ORDER BY name";

    private const string Create = $"""
        WITH created AS (
            INSERT INTO fabric.vm (name, host, epoch, state, reason, machine, created_at, owned_since, restart, disk_epoch, last_epoch)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $10, $3, $3)
            ON CONFLICT (name) DO NOTHING
            RETURNING name, host, epoch, owned_since),
        history AS (
            INSERT INTO fabric.ownership_history (vm, epoch, host, change, since) SELECT name, epoch, host, 'Created', owned_since FROM created)
        INSERT INTO fabric.event (kind, vm, host, epoch, message)
        SELECT '{EventKinds.VmCreated}', name, host, epoch, $9 FROM created
        RETURNING {Rows.EventColumns}
        """;

    private const string SetState = $"""
        WITH before AS (
            SELECT name, state FROM fabric.vm AS v WHERE name = $1 AND epoch = $2
              -- What is being moved, or made a package of, is not started: only one of the two finds the row as it needs it.
              AND ($3 <> 'Starting' OR (reserved_by IS NULL AND NOT EXISTS (SELECT 1 FROM fabric.operation AS o WHERE o.vm = v.name AND o.outcome = 'Running')))
            FOR UPDATE),
        changed AS (
            UPDATE fabric.vm AS v SET state = $3, reason = $4, state_since = now(), lost_from = NULL,
                -- Whoever starts it by hand begins to count anew, and who does not run needs no lease.
                restarts = CASE $3 WHEN 'Starting' THEN 0 ELSE v.restarts END,
                lease_until = CASE $3 WHEN 'Stopped' THEN NULL ELSE v.lease_until END
            FROM before WHERE v.name = before.name AND v.epoch = $2
            RETURNING v.name, v.host, v.epoch, v.reserved_by, before.state AS was),
        kept AS (
            INSERT INTO fabric.ownership_history (vm, epoch, host, change, reason, since)
            SELECT name, epoch, host, CASE WHEN $3 IN ('Booting', 'Running') THEN 'Started' ELSE $3 END, $4, now() FROM changed
            WHERE ($3 IN ('Stopped', 'Failed') AND was <> $3) OR ($3 IN ('Booting', 'Running') AND was IN ('Starting', 'Stopped', 'Failed'))),
        recorded AS (
            INSERT INTO fabric.event (kind, vm, host, operation, epoch, message)
            SELECT $5, name, host, reserved_by, epoch, $6 FROM changed WHERE $6 IS NOT NULL
            RETURNING {Rows.EventColumns})
        SELECT recorded.* FROM changed LEFT JOIN recorded ON true
        """;

    // An operation that has committed holds no reservation any more and is under way nevertheless.
    private const string Delete = $"""
        WITH deleted AS (
            DELETE FROM fabric.vm WHERE name = $1 AND epoch = $2 AND reserved_by IS NULL
              AND NOT EXISTS (SELECT 1 FROM fabric.operation WHERE vm = $1 AND outcome = 'Running')
            RETURNING name, host, epoch),
        kept AS (
            INSERT INTO fabric.ownership_history (vm, epoch, change, since) SELECT name, epoch, 'Deleted', now() FROM deleted)
        INSERT INTO fabric.event (kind, vm, host, epoch, message)
        SELECT '{EventKinds.VmDeleted}', name, host, epoch, name || ' was removed from ' || host || '.' FROM deleted
        RETURNING {Rows.EventColumns}
        """;

    private readonly FabricDatabase _database;
    private readonly IEventSink _sink;
    private readonly OwnershipCommit _ownership;

    /// <summary>Creates the store.</summary>
    public VmStore(FabricDatabase database, IEventSink sink)
    {
        _database = database;
        _sink = sink;
        _ownership = new OwnershipCommit(database, sink);
    }

    /// <inheritdoc />
    public Task<VmRecord?> FindAsync(string vm, CancellationToken cancellationToken) => _database.RepeatAsync(async () =>
    {
        await using var command = _database.Source.CreateCommand(Find).With(Rows.Text(vm));
        return await command.ReadFirstAsync(Rows.ReadVm, cancellationToken);
    });

    /// <inheritdoc />
    public Task<IReadOnlyList<VmRecord>> ListAsync(string? host, CancellationToken cancellationToken) =>
        _database.RepeatAsync<IReadOnlyList<VmRecord>>(async () =>
        {
            await using var command = _database.Source.CreateCommand(List).With(Rows.Text(host));
            return await command.ReadAllAsync(Rows.ReadVm, cancellationToken);
        });

    /// <inheritdoc />
    /// <exception cref="FabricException"><see cref="FabricErrorCode.InvalidArgument"/>: a name is none, or the epoch is below 1.</exception>
    public async Task CreateAsync(VmRecord vm, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vm);
        var info = vm.Info;
        FabricNames.Require(info.Name, "VM");
        FabricNames.Require(info.Host, "host");
        if (info.Epoch < 1)
            throw FabricException.Invalid($"VM '{info.Name}' cannot be created with epoch {info.Epoch}; epochs start at 1.");

        var recorded = await WriteAsync(
            Create, cancellationToken,
            Rows.Text(info.Name), Rows.Text(info.Host), Rows.Number(info.Epoch), Rows.Text(info.State.ToString()), Rows.Text(info.Reason),
            Rows.Json(DatabaseJson.Write(vm.Machine, DatabaseJson.Default.MachineDescription)), Rows.Time(info.CreatedAt), Rows.Time(info.OwnedSince),
            Rows.Text($"{info.Name} was created on {info.Host} from package {vm.Machine.Package}."),
            Rows.Text(info.Restart.ToString()));
        if (!recorded)
            throw new FabricException(FabricErrorCode.AlreadyExists, $"There is a VM named '{info.Name}' already; choose another name or delete it first.");
    }

    /// <inheritdoc />
    public Task<bool> SetStateAsync(
        string vm, long epoch, VmState state, string? reason, string? message, CancellationToken cancellationToken) =>
        WriteAsync(
            SetState, cancellationToken,
            Rows.Text(vm), Rows.Number(epoch), Rows.Text(state.ToString()), Rows.Text(reason), Rows.Text(EventKinds.Of(state)), Rows.Text(message));

    /// <inheritdoc />
    public Task<bool> DeleteAsync(string vm, long epoch, CancellationToken cancellationToken) =>
        WriteAsync(Delete, cancellationToken, Rows.Text(vm), Rows.Number(epoch));

    /// <inheritdoc />
    public Task<CommitOutcome> CommitAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        _ownership.CommitAsync(plan, cancellationToken);

    /// <inheritdoc />
    public Task<WithdrawOutcome> WithdrawAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        _ownership.WithdrawAsync(plan, cancellationToken);

    /// <inheritdoc />
    public Task<CommitOutcome> RehearseCommitAsync(MigrationPlan plan, CancellationToken cancellationToken) => _ownership.RehearseAsync(plan, cancellationToken);

    /// <summary>Runs a statement that returns a row if it applied, with the event it recorded, if any.</summary>
    private async Task<bool> WriteAsync(string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        var (applied, recorded) = await _database.GuardAsync(async () =>
        {
            await using var command = _database.Source.CreateCommand(sql).With(parameters);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            if (!await reader.ReadAsync(cancellationToken)) return (false, null);
            return (true, reader.IsDBNull(0) ? null : Rows.ReadEvent(reader));
        });
        if (recorded is not null) _sink.Publish(recorded);
        return applied;
    }
}
