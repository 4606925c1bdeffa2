using Architekt.Fabric.Grains;
using NpgsqlTypes;

namespace Architekt.Fabric.Database;

/// <summary>What hosts say of themselves.</summary>
public sealed class HostStore : IHostStore
{
    private const string Report = """
        INSERT INTO fabric.host AS h (name, address, vcpus, memory_bytes, accelerator, qemu_version, kernel, live_migration,
            live_migration_reason, version, last_seen)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (name) DO UPDATE SET address = excluded.address, vcpus = excluded.vcpus, memory_bytes = excluded.memory_bytes,
            accelerator = excluded.accelerator, qemu_version = excluded.qemu_version, kernel = excluded.kernel,
            live_migration = excluded.live_migration, live_migration_reason = excluded.live_migration_reason,
            version = excluded.version, last_seen = excluded.last_seen
        -- A report that was held up must not undo a newer one.
        WHERE h.last_seen <= excluded.last_seen
        """;

    private const string List = """
        SELECT h.name, h.address, h.vcpus, h.memory_bytes, coalesce(sum(v.memory_bytes), 0)::bigint, count(v.name)::integer,
            h.accelerator, h.qemu_version, h.kernel, h.live_migration, h.live_migration_reason, h.version, h.last_seen, h.cordoned, h.declared_dead_at IS NOT NULL
        FROM fabric.host AS h LEFT JOIN fabric.vm AS v ON v.host = h.name
        GROUP BY h.name ORDER BY h.name
        """;

    private readonly FabricDatabase _database;

    /// <summary>Creates the store.</summary>
    public HostStore(FabricDatabase database) => _database = database;

    /// <inheritdoc />
    public Task ReportAsync(HostInfo host, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        FabricNames.Require(host.Name, "host");
        return _database.RepeatAsync(async () =>
        {
            await using var command = _database.Source.CreateCommand(Report).With(
                Rows.Text(host.Name), Rows.Text(host.Address),
                new() { NpgsqlDbType = NpgsqlDbType.Integer, Value = host.Vcpus },
                Rows.Number(host.MemoryBytes), Rows.Text(host.Accelerator), Rows.Text(host.QemuVersion), Rows.Text(host.Kernel),
                Rows.Flag(host.LiveMigration), Rows.Text(host.LiveMigrationReason), Rows.Text(host.Version), Rows.Time(host.LastSeen));
            return await command.ExecuteNonQueryAsync(cancellationToken);
        });
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<HostInfo>> ListAsync(CancellationToken cancellationToken) =>
        _database.RepeatAsync<IReadOnlyList<HostInfo>>(async () =>
        {
            await using var command = _database.Source.CreateCommand(List);
            return await command.ReadAllAsync(
                row => new HostInfo(
                    row.GetString(0), row.GetBoolean(14) ? HostState.Dead : HostState.Unreachable, row.GetString(1), row.GetInt32(2), row.GetInt64(3), row.GetInt64(4), row.GetInt32(5),
                    row.GetString(6), row.GetString(7), row.GetString(8), row.GetBoolean(9), row.Text(10), row.GetString(11), row.Time(12), row.GetBoolean(13)),
                cancellationToken);
        });
}
