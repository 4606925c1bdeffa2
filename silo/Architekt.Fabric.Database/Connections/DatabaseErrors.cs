using System.Net.Sockets;
using Npgsql;

namespace Architekt.Fabric.Database;

/// <summary>Turns what Npgsql throws into the fabric's errors. No connection string, and so no password, gets into a message.</summary>
internal static class DatabaseErrors
{
    internal static async Task<T> GuardAsync<T>(this FabricDatabase database, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception e) when (Translate(e, database.Connection) is { } translated)
        {
            if (IsLostConnection(e)) database.ForgetConnections();
            throw translated;
        }
    }

    /// <summary>For what may run twice: a connection that was lost while nobody used it is noticed by its first user, who should not hear of it.</summary>
    internal static async Task<T> RepeatAsync<T>(this FabricDatabase database, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception e) when (IsLostConnection(e))
        {
            database.ForgetConnections();
            return await database.GuardAsync(work);
        }
        catch (Exception e) when (Translate(e, database.Connection) is { } translated)
        {
            throw translated;
        }
    }

    /// <summary>Null for what is no database error, such as a cancellation.</summary>
    internal static FabricException? Translate(Exception error, FabricConnection connection) => error switch
    {
        // Class 53 is lack of resources, such as connections; 57 is an operator's doing, such as a shutdown or our own time limit.
        PostgresException { SqlState: "57014" or "55P03" } => FabricException.Unavailable(
            $"Postgres at {connection.Endpoint} did not finish a statement in time; it is overloaded or something holds a lock. Try again.", error),
        PostgresException e when e.IsTransient || e.SqlState.StartsWith("08", StringComparison.Ordinal)
            || e.SqlState.StartsWith("53", StringComparison.Ordinal) || e.SqlState.StartsWith("57", StringComparison.Ordinal)
            => FabricException.Unavailable($"Postgres at {connection.Endpoint} refuses work now: {Sentence(e.MessageText)} Try again.", error),
        PostgresException { SqlState: "28P01" or "28000" or "3D000" } e => FabricException.Unavailable(
            $"Postgres at {connection.Endpoint} does not let us in: {Sentence(e.MessageText)} Check user, password and database.", error),
        PostgresException { SqlState: "42P01" or "3F000" } e => new FabricException(
            FabricErrorCode.Failed,
            $"The database '{connection.Database}' at {connection.Endpoint} lacks the fabric's tables: {Sentence(e.MessageText)} Start a silo, which creates them.",
            innerException: error),
        PostgresException e => new FabricException(
            FabricErrorCode.Internal, $"Postgres at {connection.Endpoint} rejected a statement ({e.SqlState}): {Sentence(e.MessageText)}", innerException: error),
        NpgsqlException { InnerException: TimeoutException } or TimeoutException => FabricException.Unavailable(
            $"Postgres at {connection.Endpoint} did not answer in time; check that it runs and that the network reaches it.", error),
        NpgsqlException or SocketException or IOException => FabricException.Unavailable(
            $"Postgres at {connection.Endpoint} cannot be reached: {Sentence((error.InnerException ?? error).Message)} Check that it runs.", error),
        _ => null,
    };

    /// <summary>
    /// An answer of Postgres is none, but for its last word to a connection that nobody used while it was restarted (57P01 admin_shutdown, 57P02 crash_shutdown); and what took too
    /// long once is not tried again while somebody waits.
    /// </summary>
    private static bool IsLostConnection(Exception error) => error is PostgresException { SqlState: "57P01" or "57P02" }
        || (error is NpgsqlException { InnerException: not TimeoutException } and not PostgresException) || error is SocketException or IOException;

    private static string Sentence(string text) => text.TrimEnd('.') + ".";
}
