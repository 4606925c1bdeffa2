using DbUp;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Architekt.Fabric.Database;

/// <summary>Brings a database to the schema this program works with, or says why it cannot be used.</summary>
public static partial class FabricSchema
{
    // Any number will do as long as nobody else uses it in this database; this one spells FABRIC.
    private const long LockKey = 0x464142524943;

    private const int OldestServer = 13;

    /// <summary>The schema version this program works with.</summary>
    public static int Version => SchemaScripts.Version;

    /// <summary>
    /// Runs the scripts the database lacks, each in a transaction of its own. Any number of silos may do so at the same time: one
    /// works, the others wait and find it done.
    /// </summary>
    /// <param name="connectionString">As for <see cref="FabricConnection"/>; the user must be allowed to create schemas.</param>
    /// <param name="logger">Told of what is done.</param>
    /// <param name="cancellationToken">Ends the wait; a script that has begun is finished.</param>
    /// <exception cref="FabricException">
    /// <see cref="FabricErrorCode.Unsupported"/>: the database is newer than this program, or not ours, or the server is too old;
    /// <see cref="FabricErrorCode.Unavailable"/>: the server cannot be reached; <see cref="FabricErrorCode.Failed"/>: a script failed.
    /// </exception>
    public static async Task EnsureAsync(string connectionString, ILogger logger, CancellationToken cancellationToken)
    {
        var connection = new FabricConnection(connectionString);
        try
        {
            await using var source = NpgsqlDataSource.Create(connection.Schema);
            await using var session = await source.OpenConnectionAsync(cancellationToken);
            RequireServer(session.PostgreSqlVersion, connection);
            if (await ReadVersionAsync(session, connection, cancellationToken) == Version) return;

            // A session's lock: if this process dies, so does the lock, and the next in line goes on.
            await ExecuteAsync(session, $"SELECT pg_advisory_lock({LockKey})", cancellationToken);
            var found = await ReadVersionAsync(session, connection, cancellationToken);
            if (found == Version) return;

            LogMigrating(logger, connection.Database, connection.Endpoint, found, Version);
            await Task.Run(() => Upgrade(connection, logger), cancellationToken);
            LogMigrated(logger, connection.Database, connection.Endpoint, Version);
        }
        catch (Exception e) when (DatabaseErrors.Translate(e, connection) is { } translated)
        {
            throw translated;
        }
    }

    private static void RequireServer(Version server, FabricConnection connection)
    {
        if (server.Major < OldestServer)
            throw new FabricException(
                FabricErrorCode.Unsupported,
                $"Postgres at {connection.Endpoint} is version {server}; the fabric needs {OldestServer} or later. Upgrade the server.");
    }

    /// <summary>The newest script the database has seen; 0 for an empty one.</summary>
    private static async Task<int> ReadVersionAsync(NpgsqlConnection session, FabricConnection connection, CancellationToken cancellationToken)
    {
        await using (var look = new NpgsqlCommand("SELECT to_regclass('fabric.schema_version') IS NULL", session))
            if (await look.ExecuteScalarAsync(cancellationToken) is true) return 0;

        await using var command = new NpgsqlCommand("SELECT scriptname FROM fabric.schema_version ORDER BY scriptname", session);
        var names = await command.ReadAllAsync(row => row.GetString(0), cancellationToken);
        var version = names.Max(name => SchemaScripts.VersionOf(name)) ?? 0;
        if (version > Version)
            throw new FabricException(
                FabricErrorCode.Unsupported,
                $"The database '{connection.Database}' at {connection.Endpoint} has schema version {version}, but this program only knows version {Version}; "
                + "install the release that wrote it or a later one.");

        var foreign = names.FirstOrDefault(name => SchemaScripts.All.All(script => script.Name != name));
        if (foreign is not null)
            throw new FabricException(
                FabricErrorCode.Unsupported,
                $"The database '{connection.Database}' at {connection.Endpoint} was changed by a script '{foreign}' that no release of this program has; use another database.");
        return version;
    }

    private static void Upgrade(FabricConnection connection, ILogger logger)
    {
        var engine = DeployChanges.To.PostgresqlDatabase(connection.Schema)
            .WithScripts(SchemaScripts.All)
            .WithTransactionPerScript()
            .WithVariablesDisabled()
            .JournalToPostgresqlTable("fabric", "schema_version")
            .WithExecutionTimeout(TimeSpan.FromMinutes(5))
            .LogTo(new DbUpLog(logger))
            .Build();
        var result = engine.PerformUpgrade();
        if (result.Successful) return;

        throw new FabricException(
            FabricErrorCode.Failed,
            $"Script '{result.ErrorScript?.Name}' failed on the database '{connection.Database}' at {connection.Endpoint}: {result.Error.Message.TrimEnd('.')}. "
            + "Nothing of that script was kept.",
            innerException: result.Error);
    }

    private static async Task ExecuteAsync(NpgsqlConnection session, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, session);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Bringing database '{Database}' at {Endpoint} from schema version {Found} to {Wanted}")]
    private static partial void LogMigrating(ILogger logger, string database, string endpoint, int found, int wanted);

    [LoggerMessage(Level = LogLevel.Information, Message = "Database '{Database}' at {Endpoint} has schema version {Version}")]
    private static partial void LogMigrated(ILogger logger, string database, string endpoint, int version);
}
