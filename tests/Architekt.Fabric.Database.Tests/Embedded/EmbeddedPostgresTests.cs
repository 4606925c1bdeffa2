using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Architekt.Fabric.Processes;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Architekt.Fabric.Database.Tests;

public sealed class EmbeddedPostgresTests : IAsyncDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"architekt-e{Guid.NewGuid():N}"[..22]);
    private readonly List<EmbeddedPostgres> _started = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _started) await server.StopAsync(CancellationToken.None);
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    private async Task<EmbeddedPostgres> StartAsync(int port, string? address = "127.0.0.1", IReadOnlyDictionary<string, string>? settings = null)
    {
        try
        {
            PostgresBinaries.Find(null);
        }
        catch (FabricException e)
        {
            Assert.Skip(e.Message);
        }

        var options = new EmbeddedPostgresOptions { StateFolder = _folder, Port = port, Address = address, Settings = settings ?? new Dictionary<string, string> { ["fsync"] = "off" } };
        var server = await EmbeddedPostgres.StartAsync(options, NullLogger.Instance, Cancellation);
        _started.Add(server);
        return server;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task<object?> AskAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Cancellation);
    }

    [Fact]
    public async Task Start_AdoptStopAndStartAgain_KeepsProcessAndDataAndLeavesNothing()
    {
        var port = FreePort();
        var first = await StartAsync(port);
        Assert.False(first.IsAdopted);
        await AskAsync(first.ConnectionString, "CREATE TABLE kept (n integer)");

        var adopted = await StartAsync(port);
        Assert.True(adopted.IsAdopted);
        Assert.Equal(first.ProcessId, adopted.ProcessId);
        Assert.Equal(0L, await AskAsync(adopted.ConnectionStringFor("127.0.0.1"), "SELECT count(*) FROM kept"));

        var process = ProcessIdentity.Of(first.ProcessId);
        await adopted.StopAsync(Cancellation);
        Assert.False(process.IsAlive());
        Assert.False(File.Exists(Path.Combine(_folder, "data", "postmaster.pid")));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_folder, "run")));
        Assert.DoesNotContain(IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners(), end => end.Port == port);
        await adopted.StopAsync(Cancellation);

        var again = await StartAsync(port);
        Assert.False(again.IsAdopted);
        Assert.Equal(0L, await AskAsync(again.ConnectionString, "SELECT count(*) FROM kept"));
    }

    [Fact]
    public async Task Start_AsRoot_RunsAsPostgresWithItsOwnSession()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root runs it as somebody else.");
        var server = await StartAsync(FreePort(), address: null);
        var uid = (await Command.RunCheckedAsync("id", ["-u", "postgres"], cancellationToken: Cancellation)).StandardOutput.Trim();
        var status = await File.ReadAllLinesAsync($"/proc/{server.ProcessId}/status", Cancellation);
        Assert.Equal(uid, Assert.Single(status, line => line.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[1]);
        var session = (await File.ReadAllTextAsync($"/proc/{server.ProcessId}/stat", Cancellation)).Split(") ")[^1].Split(' ')[3];
        Assert.Equal($"{server.ProcessId}", session);
    }

    [Fact]
    public async Task Start_WrongPassword_IsRefusedOverTcpAndSocket()
    {
        var server = await StartAsync(FreePort());
        foreach (var right in new[] { server.ConnectionString, server.ConnectionStringFor("127.0.0.1") })
        {
            var wrong = new NpgsqlConnectionStringBuilder(right) { Password = "wrong", Pooling = false }.ConnectionString;
            Assert.Equal("28P01", (await Assert.ThrowsAsync<PostgresException>(() => AskAsync(wrong, "SELECT 1"))).SqlState);
            Assert.Equal(1, await AskAsync(right, "SELECT 1"));
        }

        if (OperatingSystem.IsLinux())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(server.PasswordFile));
    }

    [Fact]
    public async Task Start_ServerKilledAndItsNumberReused_StartsAnew()
    {
        var port = FreePort();
        var first = await StartAsync(port);
        await AskAsync(first.ConnectionString, "CREATE TABLE kept (n integer)");
        var process = ProcessIdentity.Of(first.ProcessId);
        process.Kill(ProcessSignal.Kill);
        Assert.True(await process.WaitForExitAsync(TimeSpan.FromSeconds(10), Cancellation));

        // This very process is alive and is not the server: the file's number alone must not convince anyone.
        var file = Path.Combine(_folder, "data", "postmaster.pid");
        var lines = await File.ReadAllLinesAsync(file, Cancellation);
        lines[0] = $"{Environment.ProcessId}";
        await File.WriteAllLinesAsync(file, lines, Cancellation);

        var second = await StartAsync(port);
        Assert.False(second.IsAdopted);
        Assert.Equal(0L, await AskAsync(second.ConnectionString, "SELECT count(*) FROM kept"));
    }

    [Fact]
    public async Task Start_OtherPort_MovesTheServer()
    {
        var first = await StartAsync(FreePort());
        var port = FreePort();
        var second = await StartAsync(port);
        Assert.NotEqual(first.ProcessId, second.ProcessId);
        Assert.Equal(1, await AskAsync(second.ConnectionStringFor("127.0.0.1"), "SELECT 1"));
    }

    [Fact]
    public async Task Start_PortTaken_FailsWithTheServersOwnWordsAndLeavesNothing()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var thrown = await Assert.ThrowsAsync<FabricException>(() => StartAsync(((IPEndPoint)taken.LocalEndpoint).Port));
        Assert.Equal(FabricErrorCode.Failed, thrown.Code);
        Assert.Contains("Address already in use", thrown.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_folder, "data", "postmaster.pid")));
    }

    [Fact]
    public async Task Start_BadOption_ThrowsInvalid()
    {
        var options = new EmbeddedPostgresOptions { StateFolder = _folder };
        foreach (var bad in new[] { options with { Port = 0 }, options with { Address = "nowhere" }, options with { StateFolder = "" } })
        {
            var thrown = await Assert.ThrowsAsync<FabricException>(() => EmbeddedPostgres.StartAsync(bad, NullLogger.Instance, Cancellation));
            Assert.Equal(FabricErrorCode.InvalidArgument, thrown.Code);
        }

        Assert.False(Directory.Exists(_folder));
    }
}
