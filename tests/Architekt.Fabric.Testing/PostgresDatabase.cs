using Xunit;

namespace Architekt.Fabric.Testing;

/// <summary>A database of their own for the tests of one class: a class fixture that needs <see cref="PostgresServer"/> as assembly fixture.</summary>
public sealed class PostgresDatabase(PostgresServer server) : IAsyncLifetime
{
    private string? _connectionString;

    /// <summary>The server it is on.</summary>
    public PostgresServer Server => server;

    /// <summary>A database with the fabric's schema; skips or fails the test when there is no server.</summary>
    public string ConnectionString => _connectionString ?? server.AdminConnectionString;

    /// <inheritdoc />
    public async ValueTask InitializeAsync()
    {
        // A skip in a fixture would be a failure of the class: the test itself asks for the connection string and is skipped.
        if (server.Kind != "none") _connectionString = await server.CreateDatabaseAsync();
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
