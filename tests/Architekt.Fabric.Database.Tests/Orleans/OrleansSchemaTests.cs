using System.Net;
using System.Text;
using Architekt.Fabric.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans.Storage;

namespace Architekt.Fabric.Database.Tests;

/// <summary>Orleans' own providers against our schema: two silos that find each other through nothing but the database.</summary>
public sealed class OrleansSchemaTests(PostgresDatabase database) : IClassFixture<PostgresDatabase>
{
    private readonly FabricConnection _connection = new(database.ConnectionString);
    private readonly string _cluster = $"c{Guid.NewGuid():N}";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Task<TestSilo> StartSiloAsync(string name) => TestSilo.StartAsync(name, _cluster, database.ConnectionString, Cancellation);

    private async Task<T?> ScalarAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(_connection.Orleans);
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        return (T?)await command.ExecuteScalarAsync(Cancellation);
    }

    private static async Task WaitUntilAsync(Func<Task<bool>> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(40));
        while (!await condition()) await Task.Delay(100, limit.Token);
    }

    private Task<bool> HasMembersAsync(string silo, int status) => ScalarAsync<bool>(
        $"SELECT EXISTS (SELECT 1 FROM orleans.member WHERE deployment = '{_cluster}' AND silo_name = '{silo}' AND status = {status})");

    [Fact]
    public async Task Cluster_TwoSilosAndOneDies_StateAndRemindersSurvive()
    {
        await using var a = await StartSiloAsync("host-a");
        using var b = await SiloProcess.StartAsync("host-b", _cluster, database.ConnectionString, Cancellation);
        var grains = a.Services.GetRequiredService<IGrainFactory>();
        var membership = a.Services.GetRequiredService<IClusterMembershipService>();
        await WaitUntilAsync(() => Task.FromResult(membership.CurrentSnapshot.Members.Values.Count(member => member.Status == SiloStatus.Active) == 2));

        // Some land on each silo, once each has heard how busy the other one is.
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(40));
        var notes = new List<INoteGrain>();
        var places = new HashSet<string>();
        for (var i = 0; places.Count < 2 || i < 10; i++)
        {
            Assert.False(limit.IsCancellationRequested, $"{i} grains on one silo: the silos do not share a cluster.");
            var note = grains.GetGrain<INoteGrain>($"note-{i}");
            await note.WriteAsync($"text {i}");
            places.Add(await note.WhereAsync());
            notes.Add(note);
            if (i >= 10) await Task.Delay(20, Cancellation);
        }

        var reminded = notes[0];
        await reminded.RemindAsync();
        Assert.Equal(1, await reminded.CountRemindersAsync());
        await WaitUntilAsync(async () => await reminded.CountFiredAsync() > 0);

        b.Kill();
        await WaitUntilAsync(() => HasMembersAsync("host-b", (int)SiloStatus.Dead));
        await WaitUntilAsync(() => Task.FromResult(membership.CurrentSnapshot.Members.Values.Count(member => member.Status == SiloStatus.Active) == 1));
        for (var i = 0; i < notes.Count; i++)
        {
            Assert.Equal($"text {i}", await notes[i].ReadAsync());
            Assert.Equal("host-a", await notes[i].WhereAsync());
        }

        Assert.Equal(1, await reminded.CountRemindersAsync());
        await reminded.ForgetAsync();
        Assert.Equal(0, await reminded.CountRemindersAsync());

        await notes[1].WriteAsync("again");
        await notes[1].ClearAsync();
        Assert.Null(await notes[1].ReadAsync());
        await notes[1].WriteAsync("after clear");
        Assert.Equal("after clear", await notes[1].ReadAsync());
    }

    [Fact]
    public async Task Storage_TwoWritersOfOneVersion_OneIsToldItIsStale()
    {
        await using var silo = await StartSiloAsync("host-a");
        var storage = silo.Services.GetRequiredKeyedService<IGrainStorage>("state");
        var id = GrainId.Create("test", "raced");
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 10).Select(async writer =>
        {
            var state = new GrainState<NoteState>(new NoteState { Text = $"{writer}" });
            try
            {
                await storage.WriteStateAsync("raced-state", id, state);
                return state.ETag;
            }
            catch (InconsistentStateException)
            {
                return null;
            }
        }));
        Assert.Equal("1", Assert.Single(outcomes, etag => etag is not null));

        var first = new GrainState<NoteState>();
        var second = new GrainState<NoteState>();
        await storage.ReadStateAsync("raced-state", id, first);
        await storage.ReadStateAsync("raced-state", id, second);
        Assert.True(first.RecordExists);
        await storage.WriteStateAsync("raced-state", id, first);
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync("raced-state", id, second));
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.ClearStateAsync("raced-state", id, second));
        await storage.ClearStateAsync("raced-state", id, first);
        await storage.ReadStateAsync("raced-state", id, second);
        Assert.False(second.RecordExists);
        var payload = await ScalarAsync<byte[]>("SELECT payload FROM orleans.grain_state WHERE state_name = 'note' AND payload IS NOT NULL LIMIT 1");
        Assert.True(payload is null || Encoding.UTF8.GetString(payload).StartsWith('{'));
    }

    [Fact]
    public async Task Membership_StaleVersion_ChangesNothing()
    {
        // Not started: a running silo changes the table whenever it sees fit.
        await using var silo = TestSilo.Create("host-a", _cluster, database.ConnectionString);
        var table = silo.Services.GetRequiredService<IMembershipTable>();
        await table.InitializeMembershipTableAsync(true, Cancellation);
        var before = await table.ReadAllAsync(Cancellation);
        Assert.Empty(before.Members);
        var newcomer = new MembershipEntry
        {
            SiloAddress = SiloAddress.New(IPAddress.Loopback, 1, 1),
            SiloName = "newcomer",
            HostName = "newcomer",
            Status = SiloStatus.Joining,
            StartTime = DateTime.UtcNow.AddDays(-10),
            IAmAliveTime = DateTime.UtcNow.AddDays(-10),
        };
        var next = before.Version.Next();
        Assert.False(await table.InsertRowAsync(newcomer, new TableVersion(next.Version, "12345"), Cancellation));
        Assert.True(await table.InsertRowAsync(newcomer, next, Cancellation));
        Assert.False(await table.InsertRowAsync(newcomer, next, Cancellation));

        var read = await table.ReadRowAsync(newcomer.SiloAddress, Cancellation);
        var (entry, etag) = Assert.Single(read.Members);
        Assert.Equal((SiloStatus.Joining, "newcomer"), (entry.Status, entry.SiloName));
        Assert.False(await table.InsertRowAsync(newcomer, read.Version.Next(), Cancellation));
        entry.Status = SiloStatus.Dead;
        entry.AddSuspector(SiloAddress.New(IPAddress.Loopback, 2, 2), DateTime.UtcNow);
        Assert.False(await table.UpdateRowAsync(entry, etag, next, Cancellation));
        Assert.Equal(SiloStatus.Joining, Assert.Single((await table.ReadAllAsync(Cancellation)).Members).Item1.Status);
        Assert.True(await table.UpdateRowAsync(entry, etag, read.Version.Next(), Cancellation));
        read = await table.ReadRowAsync(newcomer.SiloAddress, Cancellation);
        Assert.Equal(2, read.Version.Version);
        Assert.Single(Assert.Single(read.Members).Item1.SuspectTimes!);

        await table.CleanupDefunctSiloEntriesAsync(DateTimeOffset.UtcNow.AddDays(-1), Cancellation);
        Assert.Empty((await table.ReadAllAsync(Cancellation)).Members);
    }
}
