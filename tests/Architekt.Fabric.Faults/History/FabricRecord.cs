using Npgsql;

namespace Architekt.Fabric.Faults.History;

/// <summary>What the fabric has written down, read past its silos: they may be what is broken.</summary>
internal sealed class FabricRecord(string connectionString)
{
    // Without a pool, whose connections a Postgres that was ended leaves broken.
    private readonly string _connection = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, Timeout = 3, CommandTimeout = 5 }.ConnectionString;

    /// <summary>Where an operation is; null if Postgres does not answer.</summary>
    public async Task<OperationRow?> TryFindOperationAsync(string id, CancellationToken cancellationToken)
    {
        try
        {
            var rows = await ReadAsync(
                "SELECT outcome, phase, reason, extract(epoch FROM ended_at - started_at)::float8, epoch, (SELECT count(*) FROM fabric.event WHERE operation = $1 AND kind = 'migration.ended') FROM fabric.operation WHERE id = $1",
                static row => new OperationRow(row.GetString(0), row.GetString(1), Text(row, 2), row.IsDBNull(3) ? null : row.GetDouble(3), row.GetInt64(4), row.GetInt64(5)), cancellationToken, id);
            return rows.SingleOrDefault();
        }
        catch (Exception error) when (error is NpgsqlException or TimeoutException)
        {
            return null;
        }
    }

    /// <summary>The VM's row.</summary>
    public async Task<VmRow> FindVmAsync(string vm, CancellationToken cancellationToken) =>
        (await ReadAsync(
            "SELECT host, epoch, state, reason, reserved_by FROM fabric.vm WHERE name = $1",
            static row => new VmRow(row.GetString(0), row.GetInt64(1), row.GetString(2), Text(row, 3), Text(row, 4)), cancellationToken, vm)).SingleOrDefault()
        ?? throw new CellFailedException($"there is no row of VM '{vm}' any more");

    /// <summary>All changes of owner, in order.</summary>
    public Task<List<Ownership>> ListOwnersAsync(CancellationToken cancellationToken) =>
        ReadAsync(
            "SELECT vm, epoch, host, since FROM fabric.ownership_history ORDER BY id",
            static row => new Ownership(row.GetString(0), row.GetInt64(1), row.GetString(2), row.GetFieldValue<DateTimeOffset>(3)), cancellationToken);

    /// <summary>Operations that have not ended.</summary>
    public Task<List<string>> ListUnfinishedAsync(CancellationToken cancellationToken) =>
        ReadAsync("SELECT id FROM fabric.operation WHERE outcome = 'Running'", static row => row.GetString(0), cancellationToken);

    /// <summary>Reminders of migrations: what wakes them up again and again until they have ended.</summary>
    public Task<List<string>> ListRemindersAsync(CancellationToken cancellationToken) =>
        ReadAsync("SELECT grain FROM orleans.reminder", static row => row.GetString(0), cancellationToken);

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private async Task<List<T>> ReadAsync<T>(string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken, params string[] parameters)
    {
        await using var connection = new NpgsqlConnection(_connection);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in parameters) command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken)) rows.Add(read(reader));
        return rows;
    }
}
