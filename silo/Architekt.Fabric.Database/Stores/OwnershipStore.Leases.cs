using Architekt.Fabric.Grains;
using NpgsqlTypes;

namespace Architekt.Fabric.Database;

/// <content>Leases, take-overs, and hosts that were declared dead.</content>
public sealed partial class OwnershipStore
{
    // A lease that has run out is renewed as well: as long as the epoch is the same nobody has taken the VM over.
    private const string Renew = """
        UPDATE fabric.vm AS v SET lease_until = clock_timestamp() + $4
        FROM unnest($2::text[], $3::bigint[]) AS mine (name, epoch)
        WHERE v.name = mine.name AND v.epoch = mine.epoch AND v.host = $1 AND v.has_lease AND v.state NOT IN ('Lost', 'Stopped')
        RETURNING v.name, v.epoch
        """;

    private const string ListForeign = $"""
        SELECT {Rows.VmColumns}, lease_until FROM fabric.vm
        WHERE ({IsClaimableLost}) OR (host <> $1 AND {IsLeased})
        ORDER BY name
        """;

    private const string IsClaimableLost = "state = 'Lost' AND lost_from <> 'Stopped' AND (has_lease OR restart = 'OnFailure')";

    private const string IsLeased = "has_lease AND lease_until IS NOT NULL AND state IN ('Starting', 'Booting', 'Running', 'Unknown')";

    private const string Claim = $"""
        WITH claimed AS (
            UPDATE fabric.vm SET host = $3, epoch = last_epoch + 1, disk_epoch = last_epoch + 1, last_epoch = last_epoch + 1, state = 'Starting', lost_from = NULL, reason = $7,
                owned_since = now(), state_since = now(), reserved_by = NULL, lease_until = CASE WHEN has_lease THEN clock_timestamp() + $6 END
            WHERE name = $1 AND epoch = $2
              AND (({IsClaimableLost}) OR (host <> $3 AND {IsLeased} AND lease_until = $4 AND lease_until + $5 < clock_timestamp()))
            RETURNING {Rows.VmColumns}),
        kept AS (
            INSERT INTO fabric.ownership_history (vm, epoch, host, change, reason, since)
            SELECT name, epoch, host, 'FailedOver', reason, owned_since FROM claimed),
        recorded AS (
            INSERT INTO fabric.event (kind, vm, host, epoch, message)
            SELECT '{EventKinds.VmFailedOver}', name, host, epoch, name || ' was taken over by ' || host || ': ' || reason FROM claimed
            RETURNING {Rows.EventColumns})
        SELECT claimed.*, recorded.* FROM claimed, recorded
        """;

    private const string DeclareDead = $"""
        WITH dead AS (
            UPDATE fabric.host SET declared_dead_at = coalesce(declared_dead_at, now()) WHERE name = $1 AND last_seen = $2 RETURNING name),
        lost AS (
            UPDATE fabric.vm SET epoch = last_epoch + 1, last_epoch = last_epoch + 1, lost_from = state, state = 'Lost', reason = 'host ' || host || ' was declared dead',
                owned_since = now(), state_since = now(), reserved_by = NULL, lease_until = NULL, restarts = 0
            WHERE host IN (SELECT name FROM dead) AND state <> 'Lost'
            RETURNING {Rows.VmColumns}),
        kept AS (
            INSERT INTO fabric.ownership_history (vm, epoch, change, reason, since)
            SELECT name, epoch, 'DeclaredDead', reason, owned_since FROM lost),
        recorded AS (
            INSERT INTO fabric.event (kind, vm, host, epoch, message)
            SELECT '{EventKinds.VmLost}', name, host, epoch, name || ' has no owner any more: ' || reason FROM lost
            RETURNING {Rows.EventColumns})
        SELECT lost.*, recorded.* FROM lost JOIN recorded ON recorded.vm = lost.name
        """;

    private const string ListLost = $"SELECT {Rows.VmColumns} FROM fabric.vm WHERE host = $1 AND state = 'Lost' ORDER BY name";

    private const string StopLost = """
        WITH stopped AS (
            UPDATE fabric.vm SET lost_from = 'Stopped' WHERE name = $1 AND epoch = $2 AND state = 'Lost' RETURNING name, epoch)
        INSERT INTO fabric.ownership_history (vm, epoch, change, since) SELECT name, epoch, 'Stopped', now() FROM stopped
        """;

    private const string IsDead = "SELECT EXISTS (SELECT 1 FROM fabric.host WHERE name = $1 AND declared_dead_at IS NOT NULL)";

    private const string Return = $"""
        WITH back AS (
            UPDATE fabric.vm SET state = CASE lost_from WHEN 'Stopped' THEN 'Stopped' ELSE 'Failed' END, lost_from = NULL,
                reason = 'host ' || host || ' was declared dead and is back', owned_since = now(), state_since = now()
            WHERE host = $1 AND state = 'Lost'
            RETURNING {Rows.VmColumns}),
        ready AS (
            UPDATE fabric.host SET declared_dead_at = NULL WHERE name = $1),
        kept AS (
            INSERT INTO fabric.ownership_history (vm, epoch, host, change, reason, since)
            SELECT name, epoch, host, 'Returned', reason, owned_since FROM back),
        recorded AS (
            INSERT INTO fabric.event (kind, vm, host, epoch, message)
            SELECT '{EventKinds.VmReturned}', name, host, epoch, name || ' belongs to ' || host || ' again, and does not run there.' FROM back
            RETURNING {Rows.EventColumns})
        SELECT back.*, recorded.* FROM back JOIN recorded ON recorded.vm = back.name
        """;

    /// <inheritdoc />
    public Task<IReadOnlyList<(string Vm, long Epoch)>> RenewLeasesAsync(
        string host, IReadOnlyList<(string Vm, long Epoch)> running, TimeSpan duration, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(running);

        // Not repeated after a lost connection: the caller counts from before it asked, and asks again.
        return _database.GuardAsync<IReadOnlyList<(string, long)>>(async () =>
        {
            await using var command = _database.Source.CreateCommand(Renew).With(
                Rows.Text(host),
                new() { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text, Value = running.Select(static vm => vm.Vm).ToArray() },
                new() { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint, Value = running.Select(static vm => vm.Epoch).ToArray() },
                Rows.Span(duration));
            return await command.ReadAllAsync(static row => (row.GetString(0), row.GetInt64(1)), cancellationToken);
        });
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<LeaseSighting>> ListForeignLeasesAsync(string host, CancellationToken cancellationToken) =>
        ReadAsync(
            ListForeign,
            static row => new LeaseSighting(Rows.ReadVm(row), row.IsDBNull(VmColumnCount) ? null : row.Time(VmColumnCount)),
            cancellationToken,
            Rows.Text(host));

    /// <inheritdoc />
    public async Task<VmRecord?> ClaimAsync(LeaseSighting seen, string host, TimeSpan margin, TimeSpan duration, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(seen);
        var info = seen.Vm.Info;
        var reason = seen.IsLost ? info.Reason : $"the lease of host {info.Host} has run out";
        var claimed = await ChangeAsync(
            Claim, cancellationToken,
            Rows.Text(info.Name), Rows.Number(info.Epoch), Rows.Text(host),
            new() { NpgsqlDbType = NpgsqlDbType.TimestampTz, Value = seen.LeaseUntil is { } until ? until.ToUniversalTime() : DBNull.Value },
            Rows.Span(margin), Rows.Span(duration), Rows.Text(reason));
        return claimed.Count == 0 ? null : claimed[0];
    }

    /// <inheritdoc />
    public async Task<IReadOnlyList<VmRecord>?> DeclareDeadAsync(string host, DateTimeOffset lastSeen, CancellationToken cancellationToken)
    {
        await ChangeAsync(DeclareDead, cancellationToken, Rows.Text(host), Rows.Time(lastSeen));
        if (!await IsDeadAsync(host, cancellationToken)) return null;
        return await ReadAsync(ListLost, Rows.ReadVm, cancellationToken, Rows.Text(host));
    }

    /// <inheritdoc />
    public Task<bool> StopLostAsync(string vm, long epoch, CancellationToken cancellationToken) => _database.RepeatAsync(async () =>
    {
        await using var command = _database.Source.CreateCommand(StopLost).With(Rows.Text(vm), Rows.Number(epoch));
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    });

    /// <inheritdoc />
    public Task<bool> IsDeadAsync(string host, CancellationToken cancellationToken) => _database.RepeatAsync(async () =>
    {
        await using var command = _database.Source.CreateCommand(IsDead).With(Rows.Text(host));
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    });

    /// <inheritdoc />
    public Task<IReadOnlyList<VmRecord>> ReturnAsync(string host, CancellationToken cancellationToken) =>
        ChangeAsync(Return, cancellationToken, Rows.Text(host));
}
