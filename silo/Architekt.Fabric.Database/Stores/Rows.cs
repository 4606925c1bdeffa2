using Architekt.Fabric.Grains;
using Npgsql;
using NpgsqlTypes;

namespace Architekt.Fabric.Database;

/// <summary>How rows become records; the column lists stand beside what reads them.</summary>
internal static class Rows
{
    internal const string VmColumns = "name, state, reason, host, epoch, machine::text, reserved_by, created_at, owned_since, restart, disk_epoch";

    internal const string OperationColumns =
        "id, kind, vm, source, destination, epoch, phase, outcome, reason, started_at, ended_at";

    internal const string EventColumns = "sequence, at, kind, vm, host, operation, epoch, message";

    internal static VmRecord ReadVm(NpgsqlDataReader row)
    {
        var machine = DatabaseJson.Read(row.GetString(5), DatabaseJson.Default.MachineDescription);
        var info = new VmInfo(
            row.GetString(0), Enum.Parse<VmState>(row.GetString(1)), row.Text(2), row.GetString(3), row.GetInt64(4),
            machine.Package, machine.PackageDigest, machine.Vcpus, machine.MemoryBytes, machine.Mac,
            row.Text(6), row.Time(7), row.Time(8), Restart: Enum.Parse<VmRestart>(row.GetString(9)),
            Availability: machine.HasLease ? VmAvailability.Failover : VmAvailability.Normal);
        return new VmRecord(info, machine) { DiskEpoch = row.GetInt64(10) };
    }

    internal static OperationInfo ReadOperation(NpgsqlDataReader row) => new(
        row.GetString(0), row.GetString(1), row.Text(2), row.GetString(3), row.Text(4), row.GetInt64(5),
        Enum.Parse<MigrationPhase>(row.GetString(6)), Enum.Parse<OperationOutcome>(row.GetString(7)), row.Text(8),
        row.Time(9), row.IsDBNull(10) ? null : row.Time(10));

    internal static FabricEvent ReadEvent(NpgsqlDataReader row) => ReadEvent(row, first: 0);

    internal static FabricEvent ReadEvent(NpgsqlDataReader row, int first) => new(
        row.GetInt64(first), row.Time(first + 1), row.GetString(first + 2), row.Text(first + 3), row.Text(first + 4), row.Text(first + 5),
        row.Number(first + 6), row.GetString(first + 7));

    internal static string? Text(this NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    internal static long? Number(this NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);

    internal static DateTimeOffset Time(this NpgsqlDataReader row, int column) => row.GetFieldValue<DateTimeOffset>(column);

    internal static async Task<List<T>> ReadAllAsync<T>(
        this NpgsqlCommand command, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        var rows = new List<T>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            rows.Add(read(reader));
        return rows;
    }

    internal static async Task<T?> ReadFirstAsync<T>(
        this NpgsqlCommand command, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
        where T : class
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? read(reader) : null;
    }

    internal static NpgsqlCommand With(this NpgsqlCommand command, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        // A copy, because a parameter belongs to one command for good and a statement may be repeated.
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter.Clone());
        return command;
    }

    internal static NpgsqlParameter Text(string? value) => new() { NpgsqlDbType = NpgsqlDbType.Text, Value = (object?)value ?? DBNull.Value };

    internal static NpgsqlParameter Json(string? value) => new() { NpgsqlDbType = NpgsqlDbType.Jsonb, Value = (object?)value ?? DBNull.Value };

    internal static NpgsqlParameter Number(long? value) => new() { NpgsqlDbType = NpgsqlDbType.Bigint, Value = (object?)value ?? DBNull.Value };

    internal static NpgsqlParameter Span(TimeSpan value) => new() { NpgsqlDbType = NpgsqlDbType.Interval, Value = value };

    internal static NpgsqlParameter Flag(bool value) => new() { NpgsqlDbType = NpgsqlDbType.Boolean, Value = value };

    // Postgres keeps microseconds and Npgsql wants UTC.
    internal static NpgsqlParameter Time(DateTimeOffset value) => new() { NpgsqlDbType = NpgsqlDbType.TimestampTz, Value = value.ToUniversalTime() };
}
