using Npgsql;

namespace Architekt.Fabric.Database;

/// <summary>The open pools to one fabric's database; one per process.</summary>
public sealed class FabricDatabase : IAsyncDisposable
{
    /// <summary>Creates the pools; no connection is opened yet.</summary>
    public FabricDatabase(FabricConnection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        Connection = connection;
        Source = NpgsqlDataSource.Create(connection.Fabric);
        CommitSource = NpgsqlDataSource.Create(connection.Commit);
    }

    /// <summary>Where it leads.</summary>
    public FabricConnection Connection { get; }

    /// <summary>For everything but the commit.</summary>
    public NpgsqlDataSource Source { get; }

    internal NpgsqlDataSource CommitSource { get; }

    /// <summary>When one connection is lost the idle ones most likely are, too, Orleans' included: the next statement opens its own.</summary>
    internal void ForgetConnections()
    {
        Source.Clear();
        CommitSource.Clear();

        // Its providers do not try again: a grain that reads its state over a dead connection fails.
        using var orleans = new NpgsqlConnection(Connection.Orleans);
        NpgsqlConnection.ClearPool(orleans);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await CommitSource.DisposeAsync();
    }
}
