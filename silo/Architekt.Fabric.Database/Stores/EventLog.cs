using Architekt.Fabric.Grains;
using Npgsql;

namespace Architekt.Fabric.Database;

/// <summary>The record of what happened. A reader that goes on from the last sequence it has seen misses nothing (script 0002-fabric).</summary>
public sealed class EventLog : IEventLog
{
    /// <summary>Most events one read returns.</summary>
    public const int MaxLimit = 10_000;

    private const string Append = $"""
        INSERT INTO fabric.event (kind, vm, host, operation, epoch, message) VALUES ($1, $2, $3, $4, $5, $6)
        RETURNING {Rows.EventColumns}
        """;

    private const string ReadAfter =
        $"SELECT {Rows.EventColumns} FROM fabric.event WHERE sequence > $1 AND sequence <= $2 ORDER BY sequence LIMIT $3";

    private const string ReadNewest = $"""
        SELECT * FROM (SELECT {Rows.EventColumns} FROM fabric.event WHERE sequence <= $1 ORDER BY sequence DESC LIMIT $2) AS newest
        ORDER BY sequence
        """;

    private readonly FabricDatabase _database;
    private readonly IEventSink _sink;

    /// <summary>Creates the log.</summary>
    public EventLog(FabricDatabase database, IEventSink sink)
    {
        _database = database;
        _sink = sink;
    }

    /// <inheritdoc />
    public async Task<FabricEvent> AppendAsync(FabricEvent newEvent, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(newEvent);
        var recorded = await _database.GuardAsync(async () =>
        {
            await using var command = _database.Source.CreateCommand(Append).With(
                Rows.Text(newEvent.Kind), Rows.Text(newEvent.Vm), Rows.Text(newEvent.Host), Rows.Text(newEvent.Operation),
                Rows.Number(newEvent.Epoch), Rows.Text(newEvent.Message));
            return (await command.ReadFirstAsync(Rows.ReadEvent, cancellationToken))!;
        });
        _sink.Publish(recorded);
        return recorded;
    }

    /// <inheritdoc />
    /// <exception cref="FabricException"><see cref="FabricErrorCode.InvalidArgument"/>: the limit is not 1 to <see cref="MaxLimit"/>.</exception>
    public Task<IReadOnlyList<FabricEvent>> ReadAsync(long afterSequence, int limit, CancellationToken cancellationToken)
    {
        if (limit is < 1 or > MaxLimit)
            throw FabricException.Invalid($"The number of events to read is {limit}; it must be 1 to {MaxLimit}.");

        return _database.RepeatAsync<IReadOnlyList<FabricEvent>>(async () =>
        {
            await using var connection = await _database.Source.OpenConnectionAsync(cancellationToken);
            // Two statements on purpose: the second one's snapshot must be later than the horizon.
            await using var horizon = new NpgsqlCommand("SELECT fabric.event_horizon()", connection);
            var bound = (long)(await horizon.ExecuteScalarAsync(cancellationToken))!;
            await using var command = afterSequence < 0
                ? new NpgsqlCommand(ReadNewest, connection).With(Rows.Number(bound), Rows.Number(limit))
                : new NpgsqlCommand(ReadAfter, connection).With(Rows.Number(afterSequence), Rows.Number(bound), Rows.Number(limit));
            return await command.ReadAllAsync(Rows.ReadEvent, cancellationToken);
        });
    }
}
