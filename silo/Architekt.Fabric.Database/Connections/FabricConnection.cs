using Npgsql;

namespace Architekt.Fabric.Database;

/// <summary>
/// The connection strings a silo needs, derived from the one it was given: small pools of their own, bounded timeouts, and a name
/// each by which <c>pg_stat_activity</c> tells them apart. The server gives a statement up before the client does, so that
/// nothing goes on that nobody waits for.
/// </summary>
public sealed class FabricConnection
{
    /// <summary>How long opening a connection may take, in s.</summary>
    public const int ConnectSeconds = 5;

    /// <summary>How long opening one of Orleans' connections may take, in s.</summary>
    public const int OrleansConnectSeconds = 15;

    /// <summary>How long a statement may take, in s.</summary>
    public const int StatementSeconds = 10;

    /// <summary>How long the commit of a migration may take, in s: a guest stands still for it.</summary>
    public const int CommitSeconds = 3;

    /// <summary>Derives the connection strings.</summary>
    /// <param name="connectionString">An Npgsql connection string with server, user and database; what this class sets is overridden.</param>
    /// <exception cref="FabricException"><see cref="FabricErrorCode.InvalidArgument"/>: it is no connection string, or names no server.</exception>
    public FabricConnection(string connectionString)
    {
        var given = Parse(connectionString);
        Endpoint = given.Host!.StartsWith('/') ? $"{given.Host}/.s.PGSQL.{given.Port}" : $"{given.Host}:{given.Port}";
        Database = given.Database ?? given.Username ?? "";

        Fabric = Derive(connectionString, "architekt-fabric", "fabric", StatementSeconds, pool: 10);

        // A silo that cannot open its first connection gives up altogether: on a busy machine it should rather be late.
        Orleans = Derive(
            connectionString, "architekt-orleans", "orleans", StatementSeconds, pool: 10, builder => builder.Timeout = OrleansConnectSeconds);
        // Once per start: no pool that stays behind.
        Schema = Derive(connectionString, "architekt-schema", "fabric", statementSeconds: 300, pool: 2, builder => builder.Pooling = false);
        Commit = Derive(connectionString, "architekt-commit", "fabric", CommitSeconds, pool: 4, builder =>
        {
            // Kept open, and kept prepared: between migrations the pool must not close them, nor reset what they know.
            builder.MinPoolSize = 1;
            builder.NoResetOnClose = true;
            // Planned once: the server would plan the first five anew, to compare, and each of those in a pause.
            builder.Options += " -c synchronous_commit=on -c plan_cache_mode=force_generic_plan";
        });
    }

    /// <summary>Where the server is, for messages: <c>host:port</c> or the path of its socket.</summary>
    public string Endpoint { get; }

    /// <summary>Name of the database.</summary>
    public string Database { get; }

    /// <summary>For our own tables.</summary>
    public string Fabric { get; }

    /// <summary>For the one statement a guest waits for.</summary>
    public string Commit { get; }

    /// <summary>For Orleans' ADO.NET providers, invariant <c>Npgsql</c>; its search path leads to their tables.</summary>
    public string Orleans { get; }

    /// <summary>For migrations of the schema: statements may take minutes.</summary>
    internal string Schema { get; }

    private static NpgsqlConnectionStringBuilder Parse(string connectionString)
    {
        try
        {
            var builder = new NpgsqlConnectionStringBuilder(connectionString);
            if (!string.IsNullOrWhiteSpace(builder.Host)) return builder;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or KeyNotFoundException)
        {
            // The text may hold a password and is not repeated; the cause names the keyword only.
            throw FabricException.Invalid($"The connection string for Postgres cannot be read: {e.Message}");
        }

        throw FabricException.Invalid("The connection string for Postgres names no server; write Host=…;Username=…;Database=….");
    }

    private static string Derive(
        string connectionString, string name, string searchPath, int statementSeconds, int pool, Action<NpgsqlConnectionStringBuilder>? more = null)
    {
        var limit = $"-c statement_timeout={statementSeconds}s -c lock_timeout={statementSeconds}s -c idle_in_transaction_session_timeout=15s";
        var builder = new NpgsqlConnectionStringBuilder(connectionString)
        {
            ApplicationName = name,
            SearchPath = searchPath,
            Timeout = ConnectSeconds,
            CommandTimeout = statementSeconds + 1,
            CancellationTimeout = 1000,
            KeepAlive = 10,
            MaxPoolSize = pool,
            GssEncryptionMode = GssEncryptionMode.Disable,
        };
        builder.Options = string.IsNullOrWhiteSpace(builder.Options) ? limit : $"{builder.Options} {limit}";
        more?.Invoke(builder);
        return builder.ConnectionString;
    }
}
