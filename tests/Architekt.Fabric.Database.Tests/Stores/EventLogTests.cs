using Architekt.Fabric.Testing;
using Npgsql;

namespace Architekt.Fabric.Database.Tests;

public sealed class EventLogTests(PostgresDatabase database) : StoreTest(database), IClassFixture<PostgresDatabase>
{
    private static FabricEvent Event(string message, string kind = "test") => new(0, default, kind, "vm", "host", "op", 3, message);

    [Fact]
    public async Task Append_Event_GetsSequenceAndTimeAndIsPublished()
    {
        var recorded = await Events.AppendAsync(Event("one"), Cancellation);
        Assert.True(recorded.Sequence > 0);
        Assert.InRange(DateTimeOffset.UtcNow - recorded.At, TimeSpan.FromMinutes(-1), TimeSpan.FromMinutes(1));
        Assert.Equal(recorded, Assert.Single(Sink.Events));
        Assert.Equal(Event("one") with { Sequence = recorded.Sequence, At = recorded.At }, recorded);
    }

    [Fact]
    public async Task Read_AfterSequenceAndNewest_ReturnsOldestFirst()
    {
        var first = await Events.AppendAsync(Event("a"), Cancellation);
        var second = await Events.AppendAsync(Event("b"), Cancellation);
        var third = await Events.AppendAsync(Event("c"), Cancellation);
        Assert.Equal([second, third], await Events.ReadAsync(first.Sequence, 10, Cancellation));
        Assert.Equal([second], await Events.ReadAsync(first.Sequence, 1, Cancellation));
        Assert.Equal([second, third], await Events.ReadAsync(-1, 2, Cancellation));
        Assert.Empty(await Events.ReadAsync(third.Sequence, 10, Cancellation));
        Assert.Equal(1, (await Events.ReadAsync(0, 1, Cancellation))[0].Sequence);
        await ThrowsAsync(FabricErrorCode.InvalidArgument, () => Events.ReadAsync(0, 0, Cancellation));
    }

    [Fact]
    public async Task Read_OlderTransactionStillOpen_WaitsForIt()
    {
        var before = await Events.AppendAsync(Event("before"), Cancellation);
        await using var connection = await Database.Source.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await using var insert = new NpgsqlCommand("INSERT INTO fabric.event (kind, message) VALUES ('test', 'slow')", connection);
        await insert.ExecuteNonQueryAsync(Cancellation);
        var fast = await Events.AppendAsync(Event("fast"), Cancellation);

        Assert.Empty(await Events.ReadAsync(before.Sequence, 10, Cancellation));
        Assert.Equal(before.Sequence, Assert.Single(await Events.ReadAsync(-1, 1, Cancellation)).Sequence);
        await transaction.CommitAsync(Cancellation);
        Assert.Equal(["slow", "fast"], (await Events.ReadAsync(before.Sequence, 10, Cancellation)).Select(e => e.Message));
        Assert.Equal(fast.Sequence, (await Events.ReadAsync(-1, 1, Cancellation))[0].Sequence);
    }

    [Fact]
    public async Task Read_TransactionRolledBack_GoesOnPastTheGap()
    {
        var before = await Events.AppendAsync(Event("before"), Cancellation);
        await using var connection = await Database.Source.OpenConnectionAsync(Cancellation);
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await using var insert = new NpgsqlCommand("INSERT INTO fabric.event (kind, message) VALUES ('test', 'never')", connection);
            await insert.ExecuteNonQueryAsync(Cancellation);
            await transaction.RollbackAsync(Cancellation);
        }

        var after = await Events.AppendAsync(Event("after"), Cancellation);
        Assert.Equal([after], await Events.ReadAsync(before.Sequence, 10, Cancellation));
        Assert.Equal(before.Sequence + 2, after.Sequence);
    }

    // A reader that goes by sequence alone loses events in this very test: take the bound out of ReadAfter to see it fail.
    [Fact]
    public async Task Read_PollingWhileManyWrite_MissesNothingAndRepeatsNothing()
    {
        const int Writers = 8, Rounds = 60;
        var start = (await Events.AppendAsync(Event("start"), Cancellation)).Sequence;
        var seen = new List<FabricEvent>();
        var writing = Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(() => WriteAsync(writer), Cancellation)));
        var cursor = start;
        for (var isLast = false; ;)
        {
            isLast = writing.IsCompleted;
            var read = await Events.ReadAsync(cursor, 7, Cancellation);
            seen.AddRange(read);
            if (read.Count > 0) cursor = read[^1].Sequence;
            else if (isLast) break;
        }

        var written = await writing;
        Assert.Equal(written.SelectMany(all => all).Order(), seen.Select(e => e.Sequence));

        async Task<List<long>> WriteAsync(int writer)
        {
            var random = new Random(writer);
            var sequences = new List<long>();
            await using var connection = new NpgsqlConnection(Database.Connection.Fabric);
            await connection.OpenAsync(Cancellation);
            for (var round = 0; round < Rounds; round++)
            {
                await using var transaction = await connection.BeginTransactionAsync(Cancellation);
                var mine = new List<long>();
                for (var i = random.Next(1, 4); i > 0; i--)
                {
                    await using var insert = new NpgsqlCommand("INSERT INTO fabric.event (kind, message) VALUES ('test', 'm') RETURNING sequence", connection);
                    mine.Add((long)(await insert.ExecuteScalarAsync(Cancellation))!);
                    await Task.Yield();
                }

                if (random.Next(5) == 0)
                {
                    await transaction.RollbackAsync(Cancellation);
                    continue;
                }

                await transaction.CommitAsync(Cancellation);
                sequences.AddRange(mine);
            }

            return sequences;
        }
    }
}
