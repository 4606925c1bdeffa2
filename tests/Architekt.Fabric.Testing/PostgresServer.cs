using Architekt.Fabric.Database;
using DotNet.Testcontainers.Configurations;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Testcontainers.PostgreSql;
using Xunit;

namespace Architekt.Fabric.Testing;

/// <summary>
/// The Postgres of a test run; a test project has one as an assembly fixture. It is, whichever comes first: the one that
/// <c>ARCHITEKT_TEST_POSTGRES</c> names; a container of the local image; the local server programs in a temporary folder; none, and then
/// tests that need it are skipped. With <c>ARCHITEKT_REQUIRE_TESTCONTAINERS=1</c> anything but the container is a failure.
/// </summary>
public sealed class PostgresServer : IAsyncLifetime
{
    private const string Given = "ARCHITEKT_TEST_POSTGRES";
    private const string Image = "architekt-postgres:local";

    private readonly string _run = $"t{Guid.NewGuid():N}"[..12];
    private readonly SemaphoreSlim _creating = new(1);
    private readonly List<string> _databases = [];
    private PostgreSqlContainer? _container;
    private EmbeddedPostgres? _embedded;
    private string? _folder;
    private string? _connectionString;
    private string? _template;
    private string _whyNot = "";
    private bool _isRequired;

    /// <summary>Which step of the ladder it is: environment, testcontainers, local or none.</summary>
    public string Kind { get; private set; } = "none";

    /// <summary>A connection string for the server's maintenance database; skips or fails the test when there is no server.</summary>
    public string AdminConnectionString
    {
        get
        {
            if (_connectionString is not null) return _connectionString;
            if (_isRequired) Assert.Fail($"ARCHITEKT_REQUIRE_TESTCONTAINERS is set, but {_whyNot}.");
            Assert.Skip($"There is no Postgres: {_whyNot}.");
            return "";
        }
    }

    /// <inheritdoc />
    public async ValueTask InitializeAsync()
    {
        _isRequired = Environment.GetEnvironmentVariable("ARCHITEKT_REQUIRE_TESTCONTAINERS") == "1";
        if (!_isRequired && Environment.GetEnvironmentVariable(Given) is { Length: > 0 } given)
        {
            (Kind, _connectionString) = ("environment", given);
            return;
        }

        var whyNot = await DockerDaemon.WhyNotAsync(Image, CancellationToken.None);
        if (whyNot is null) await StartContainerAsync();
        else if (_isRequired) _whyNot = whyNot;
        else await StartLocalAsync(whyNot);
    }

    /// <summary>A new database with the fabric's schema; it goes with the server.</summary>
    public async Task<string> CreateDatabaseAsync(CancellationToken cancellationToken = default) =>
        await CreateAsync(await TemplateAsync(cancellationToken), cancellationToken);

    /// <summary>A new database with nothing in it.</summary>
    public Task<string> CreateEmptyDatabaseAsync(CancellationToken cancellationToken = default) => CreateAsync("template0", cancellationToken);

    /// <summary>
    /// Ends the server, whoever uses it, and starts it again with all it has. Returns a connection string for its maintenance database, whose port may be another one.
    /// Skips the test when the server is not this run's own.
    /// </summary>
    public async Task<string> RestartAsync(CancellationToken cancellationToken = default)
    {
        Assert.SkipWhen(Kind == "environment", $"The Postgres that {Given} names is not restarted.");
        if (_container is not null)
        {
            await _container.StopAsync(cancellationToken);
            await _container.StartAsync(cancellationToken);
            _connectionString = _container.GetConnectionString();
        }
        else if (_embedded is not null)
        {
            await _embedded.StopAsync(cancellationToken);
            await StartEmbeddedAsync(cancellationToken);
        }

        return AdminConnectionString;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (Kind == "environment")
        {
            foreach (var database in Enumerable.Reverse(_databases))
                await ExecuteAsync($"DROP DATABASE IF EXISTS {database} WITH (FORCE)", CancellationToken.None);
        }

        if (_container is not null) await _container.DisposeAsync();
        if (_embedded is not null) await _embedded.StopAsync(CancellationToken.None);
        if (_folder is not null) Directory.Delete(_folder, recursive: true);
        _creating.Dispose();
    }

    private async Task StartContainerAsync()
    {
        // Testcontainers' own reaper is an image that must be pulled; what this run starts, it ends in DisposeAsync.
        TestcontainersSettings.ResourceReaperEnabled = false;
        _container = new PostgreSqlBuilder(Image).WithUsername("fabric").WithPassword("fabric").WithDatabase("postgres")
            .WithCommand("-c", "max_connections=300", "-c", "fsync=off")
            .Build();
        await _container.StartAsync();
        (Kind, _connectionString) = ("testcontainers", _container.GetConnectionString());
    }

    private async Task StartLocalAsync(string noDocker)
    {
        _folder = Path.Combine(Path.GetTempPath(), $"architekt-{_run}");
        try
        {
            await StartEmbeddedAsync(CancellationToken.None);
        }
        catch (FabricException e) when (e.Code == FabricErrorCode.Unsupported)
        {
            _whyNot = $"{noDocker}, and {e.Message}";
            if (!Directory.Exists(_folder)) _folder = null;
        }
    }

    private async Task StartEmbeddedAsync(CancellationToken cancellationToken)
    {
        var options = new EmbeddedPostgresOptions
        {
            StateFolder = _folder!,
            Address = null,
            // These databases live as long as the test run: nothing needs to survive a power failure.
            Settings = new Dictionary<string, string> { ["fsync"] = "off", ["max_connections"] = "300" },
        };
        _embedded = await EmbeddedPostgres.StartAsync(options, NullLogger.Instance, cancellationToken);
        (Kind, _connectionString) = ("local", _embedded.ConnectionString);
    }

    private async Task<string> TemplateAsync(CancellationToken cancellationToken)
    {
        await _creating.WaitAsync(cancellationToken);
        try
        {
            if (_template is not null) return _template;
            var connectionString = await CreateAsync("template0", cancellationToken);
            await FabricSchema.EnsureAsync(connectionString, NullLogger.Instance, cancellationToken);
            return _template = new NpgsqlConnectionStringBuilder(connectionString).Database!;
        }
        finally
        {
            _creating.Release();
        }
    }

    private async Task<string> CreateAsync(string template, CancellationToken cancellationToken)
    {
        var admin = new NpgsqlConnectionStringBuilder(AdminConnectionString);
        string name;
        lock (_databases)
        {
            name = $"{_run}_{_databases.Count}";
            _databases.Add(name);
        }

        await ExecuteAsync($"CREATE DATABASE {name} TEMPLATE {template}", cancellationToken);
        admin.Database = name;
        return admin.ConnectionString;
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(AdminConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
