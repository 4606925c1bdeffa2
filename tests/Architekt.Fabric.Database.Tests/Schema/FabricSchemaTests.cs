using Architekt.Fabric.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Architekt.Fabric.Database.Tests;

public sealed class FabricSchemaTests(PostgresDatabase database) : IClassFixture<PostgresDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static Task EnsureAsync(string connectionString) => FabricSchema.EnsureAsync(connectionString, NullLogger.Instance, Cancellation);

    private async Task<string> EmptyAsync()
    {
        _ = database.ConnectionString;
        return await database.Server.CreateEmptyDatabaseAsync(Cancellation);
    }

    private static async Task<object?> ScalarAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Cancellation);
    }

    [Fact]
    public async Task Ensure_Twice_RunsEachScriptOnce()
    {
        var empty = await EmptyAsync();
        await EnsureAsync(empty);
        await EnsureAsync(empty);
        Assert.Equal((long)SchemaScripts.All.Count, await ScalarAsync(empty, "SELECT count(*) FROM fabric.schema_version"));
    }

    [Fact]
    public async Task Ensure_EightAtOnce_AllSucceedAndOneWorks()
    {
        var empty = await EmptyAsync();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => EnsureAsync(empty), Cancellation)));
        Assert.Equal((long)SchemaScripts.All.Count, await ScalarAsync(empty, "SELECT count(*) FROM fabric.schema_version"));
    }

    /// <summary>Epochs that were reserved, committed or given back before there was a count of them are not given out again.</summary>
    [Fact]
    public async Task Ensure_RowsFromBeforeEpochsWereCounted_CountsThem()
    {
        var empty = await EmptyAsync();
        await EnsureAsync(empty);
        await ScalarAsync(empty, "ALTER TABLE fabric.vm DROP COLUMN last_epoch");
        await ScalarAsync(empty, "DELETE FROM fabric.schema_version WHERE scriptname = '0022-epochs'");
        await ScalarAsync(
            empty,
            """
            INSERT INTO fabric.operation (id, kind, vm, source, destination, epoch, phase, outcome, plan, result, started_at, ended_at) VALUES
                ('given-back', 'migrate', 'given-back', 'a', 'b', 4, 'Done', 'Failed', '{}', '{}', now(), now()),
                ('reserved', 'migrate', 'reserved', 'a', 'b', 2, 'Copy', 'Running', '{}', NULL, now(), NULL);
            INSERT INTO fabric.vm (name, host, epoch, state, machine, created_at, owned_since, disk_epoch, reserved_by) VALUES
                ('quiet', 'a', 7, 'Running', '{"memoryBytes":1}', now(), now(), 7, NULL),
                ('given-back', 'a', 3, 'Running', '{"memoryBytes":1}', now(), now(), 3, NULL),
                ('reserved', 'a', 1, 'Running', '{"memoryBytes":1}', now(), now(), 1, 'reserved');
            """);

        await EnsureAsync(empty);

        Assert.Equal("given-back=4,quiet=7,reserved=2", await ScalarAsync(empty, "SELECT string_agg(name || '=' || last_epoch, ',' ORDER BY name) FROM fabric.vm"));
    }

    [Fact]
    public async Task Ensure_NewerDatabase_IsRefusedNamingBothVersions()
    {
        var empty = await EmptyAsync();
        await EnsureAsync(empty);
        await ScalarAsync(empty, "INSERT INTO fabric.schema_version (scriptname, applied) VALUES ('0099-later', now())");
        var thrown = await Assert.ThrowsAsync<FabricException>(() => EnsureAsync(empty));
        Assert.Equal(FabricErrorCode.Unsupported, thrown.Code);
        Assert.Contains("version 99", thrown.Message, StringComparison.Ordinal);
        Assert.Contains($"version {FabricSchema.Version};", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ensure_ForeignScript_IsRefusedNamingIt()
    {
        var empty = await EmptyAsync();
        await EnsureAsync(empty);
        await ScalarAsync(empty, "INSERT INTO fabric.schema_version (scriptname, applied) VALUES ('0001-theirs', now())");
        await ScalarAsync(empty, "DELETE FROM fabric.schema_version WHERE scriptname >= '0002'");
        var thrown = await Assert.ThrowsAsync<FabricException>(() => EnsureAsync(empty));
        Assert.Equal(FabricErrorCode.Unsupported, thrown.Code);
        Assert.Contains("'0001-theirs'", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ensure_ScriptFails_SaysWhichAndKeepsNothingOfIt()
    {
        var empty = await EmptyAsync();
        await ScalarAsync(empty, "CREATE SCHEMA fabric; CREATE TABLE fabric.vm (in_the_way integer)");
        var thrown = await Assert.ThrowsAsync<FabricException>(() => EnsureAsync(empty));
        Assert.Equal(FabricErrorCode.Failed, thrown.Code);
        Assert.Contains("'0002-fabric'", thrown.Message, StringComparison.Ordinal);
        Assert.Equal(true, await ScalarAsync(empty, "SELECT to_regclass('fabric.operation') IS NULL"));
        await ScalarAsync(empty, "DROP TABLE fabric.vm");
        await EnsureAsync(empty);
        Assert.Equal((long)SchemaScripts.All.Count, await ScalarAsync(empty, "SELECT count(*) FROM fabric.schema_version"));
    }

    [Fact]
    public async Task Ensure_NobodyThere_ThrowsUnavailable()
    {
        var thrown = await Assert.ThrowsAsync<FabricException>(() => EnsureAsync("Host=127.0.0.1;Port=1;Username=u;Password=secret;Database=d"));
        Assert.Equal(FabricErrorCode.Unavailable, thrown.Code);
        Assert.Contains("127.0.0.1:1", thrown.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ensure_TemplateDatabase_HasEveryQueryTheProvidersAskFor()
    {
        string[] keys =
        [
            "CleanupDefunctSiloEntriesKey", "ClearStorageKey", "DeleteMembershipTableEntriesKey", "DeleteReminderRowKey", "DeleteReminderRowsKey",
            "DeleteStorageKey", "GatewaysQueryKey", "InsertMembershipKey", "InsertMembershipVersionKey", "MembershipReadAllKey", "MembershipReadRowKey",
            "ReadFromStorageKey", "ReadRangeRows1Key", "ReadRangeRows2Key", "ReadReminderRowKey", "ReadReminderRowsKey", "UpdateIAmAlivetimeKey",
            "UpdateMembershipKey", "UpsertReminderRowKey", "WriteToStorageKey",
        ];
        Assert.Equal(string.Join(',', keys), await ScalarAsync(database.ConnectionString, "SELECT string_agg(querykey, ',' ORDER BY querykey COLLATE \"C\") FROM orleans.orleansquery"));
    }
}
