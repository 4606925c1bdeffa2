using Npgsql;

namespace Architekt.Fabric.Integration.Tests;

/// <content>Postgres, which each host reaches over a wire of its own.</content>
public sealed partial class TwoHosts
{
    private readonly List<PostgresForwarder> _postgres = [];
    private string _database = "";

    /// <summary>A host's own way to Postgres.</summary>
    internal PostgresForwarder PostgresOf(SiloProcess host) => _postgres[host == HostA ? 0 : 1];

    internal void CutPostgres() => _postgres.ForEach(static way => way.Cut());

    internal void MendPostgres() => _postgres.ForEach(static way => way.Mend());

    /// <summary>Ends Postgres and starts it again; those who were connected notice.</summary>
    internal async Task RestartPostgresAsync(CancellationToken cancellationToken)
    {
        var restarted = new NpgsqlConnectionStringBuilder(await server.RestartAsync(cancellationToken));
        restarted.Database = new NpgsqlConnectionStringBuilder(_database).Database;
        _database = restarted.ConnectionString;
        foreach (var way in _postgres) way.LeadTo(_database);
    }

    /// <summary>Who owns a VM, read past the silos.</summary>
    internal async Task<(string Host, long Epoch)> ReadOwnerAsync(string vm, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand("SELECT host, epoch FROM fabric.vm WHERE name = $1", connection) { Parameters = { new() { Value = vm } } };
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        Assert.True(await row.ReadAsync(cancellationToken), $"There is no row of '{vm}'.");
        return (row.GetString(0), row.GetInt64(1));
    }

    /// <summary>Writes down a VM's state, past the silos.</summary>
    internal async Task RecordStateAsync(string vm, VmState state, string reason, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand("UPDATE fabric.vm SET state = $2, reason = $3 WHERE name = $1", connection)
        {
            Parameters = { new() { Value = vm }, new() { Value = state.ToString() }, new() { Value = reason } },
        };
        Assert.Equal(1, await command.ExecuteNonQueryAsync(cancellationToken));
    }

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_database) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        return connection;
    }
}
