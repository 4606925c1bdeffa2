using System.Security.Cryptography;
using Architekt.Fabric.Processes;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Architekt.Fabric.Database;

/// <summary>
/// A private Postgres from the local server programs. It is nobody's child: it survives whoever started it, who finds and adopts it
/// the next time. One caller at a time per state folder.
/// </summary>
public sealed partial class EmbeddedPostgres
{
    private const string Name = "fabric";

    // sun_path of sockaddr_un, unix(7), less the closing zero.
    private const int LongestSocketPath = 107;

    private static readonly TimeSpan _lookAgain = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan _stopLimit = TimeSpan.FromSeconds(30);

    private readonly EmbeddedPostgresOptions _options;
    private readonly ServerAccount _account;
    private readonly ILogger _logger;
    private readonly string _root;
    private readonly string? _socketFolder;
    private string _password = "";
    private ProcessIdentity _process;

    private EmbeddedPostgres(EmbeddedPostgresOptions options, ServerAccount account, ILogger logger)
    {
        _options = options;
        _account = account;
        _logger = logger;
        _root = Path.GetFullPath(options.StateFolder);
        var socketFolder = Path.Combine(_root, "run");
        _socketFolder = $"{socketFolder}/.s.PGSQL.{options.Port}.lock".Length <= LongestSocketPath ? socketFolder : null;
        if (_socketFolder is null && options.Address is null)
            throw FabricException.Invalid($"The path of '{socketFolder}' is too long for a socket ({LongestSocketPath} bytes); choose a shorter state folder.");
    }

    /// <summary>For this machine: over the socket where there is one, with user, password and database <c>fabric</c>.</summary>
    public string ConnectionString => ConnectionStringFor(_socketFolder ?? LocalAddress, Name);

    /// <summary>Whether it was running already.</summary>
    public bool IsAdopted { get; private set; }

    /// <summary>The server's process.</summary>
    public int ProcessId => _process.Pid;

    /// <summary>File with the password, readable for its owner only; other hosts need its content.</summary>
    public string PasswordFile => Path.Combine(_root, "password");

    /// <summary>The server's log.</summary>
    public string LogFile => Path.Combine(_root, "postgres.log");

    private string DataFolder => Path.Combine(_root, "data");

    private string LocalAddress => _options.Address is null or "*" ? "127.0.0.1" : _options.Address;

    /// <summary>Makes sure that the server of a state folder runs: creates it the first time, starts it, or adopts it if it runs already.</summary>
    /// <exception cref="FabricException">
    /// <see cref="FabricErrorCode.Unsupported"/>: the server programs or their user are missing; <see cref="FabricErrorCode.Failed"/>: it does not
    /// start, with the end of its log; <see cref="FabricErrorCode.InvalidArgument"/>: an option is out of range.
    /// </exception>
    public static async Task<EmbeddedPostgres> StartAsync(EmbeddedPostgresOptions options, ILogger logger, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        var server = new EmbeddedPostgres(options, await ServerAccount.ChooseAsync(cancellationToken), logger);
        try
        {
            await server.StartAsync(cancellationToken);
        }
        catch (Exception e) when (e is CommandFailedException or ToolMissingException or TimeoutException)
        {
            throw new FabricException(FabricErrorCode.Failed, $"The private Postgres in '{server._root}' does not start: {e.Message}", innerException: e);
        }

        return server;
    }

    /// <summary>The connection string for other hosts, who reach this machine at <paramref name="address"/>; needs a TCP address to listen on.</summary>
    public string ConnectionStringFor(string address) => ConnectionStringFor(address, Name);

    /// <summary>Ends the server, cutting off whoever is connected; what is committed is kept. Nothing runs and no socket is left when it returns.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => StopAsync(_process, cancellationToken);

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        await _account.CreateFolderAsync(_root, cancellationToken);
        if (_socketFolder is not null) await _account.CreateFolderAsync(_socketFolder, cancellationToken);

        var running = PostmasterFile.FindRunning(DataFolder);
        if (running is not null && running.Port == _options.Port && running.Address == (_options.Address ?? ""))
        {
            IsAdopted = true;
            _process = running.Process;
            _password = await ReadPasswordAsync(cancellationToken);
            LogAdopted(_logger, _root, _process.Pid);
        }
        else
        {
            if (running is not null) await StopAsync(running.Process, cancellationToken);
            var binaries = PostgresBinaries.Find(DataVersion());
            if (!Directory.Exists(DataFolder)) await CreateAsync(binaries, cancellationToken);
            _password = await ReadPasswordAsync(cancellationToken);
            await LaunchAsync(binaries, cancellationToken);
        }

        await WaitUntilReadyAsync(cancellationToken);
    }

    private string? DataVersion()
    {
        var file = Path.Combine(DataFolder, "PG_VERSION");
        return File.Exists(file) ? File.ReadAllText(file).Trim() : null;
    }

    private async Task CreateAsync(string binaries, CancellationToken cancellationToken)
    {
        LogCreating(_logger, _root, binaries);
        await _account.WriteSecretAsync(PasswordFile, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24)), cancellationToken);

        // Under another name until it is complete, so that an interrupted start leaves nothing that looks like a database.
        var unfinished = DataFolder + ".new";
        if (Directory.Exists(unfinished)) Directory.Delete(unfinished, recursive: true);
        await _account.RunAsync(
            Path.Combine(binaries, "initdb"),
            ["--pgdata", unfinished, "--username", Name, "--pwfile", PasswordFile, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--data-checksums"],
            cancellationToken);
        await File.AppendAllTextAsync(
            Path.Combine(unfinished, "pg_hba.conf"), "\n# Other hosts of the fabric.\nhost all all all scram-sha-256\n", cancellationToken);
        Directory.Move(unfinished, DataFolder);
    }

    private async Task LaunchAsync(string binaries, CancellationToken cancellationToken)
    {
        // No server works in this folder: what the file says is of a former life, and the number in it may be somebody else's by now.
        File.Delete(PostmasterFile.PathIn(DataFolder));

        var settings = new Dictionary<string, string>
        {
            ["listen_addresses"] = _options.Address ?? "",
            ["port"] = $"{_options.Port}",
            ["unix_socket_directories"] = _socketFolder ?? "",
            ["unix_socket_permissions"] = "0700",
            ["max_connections"] = "200",
            ["log_checkpoints"] = "off",
            ["logging_collector"] = "off",
        };
        foreach (var (name, value) in _options.Settings) settings[name] = value;

        var (file, args) = _account.Wrap(
            Path.Combine(binaries, "postgres"),
            ["-D", DataFolder, .. settings.SelectMany(setting => new[] { "-c", $"{setting.Key}={setting.Value}" })]);
        _process = await DetachedProcess.StartAsync(file, args, null, "/", LogFile, cancellationToken);
        LogStarted(_logger, _root, _process.Pid);
    }

    private async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_options.StartLimit);
        try
        {
            while (!await TryPrepareAsync(limit.Token))
            {
                if (!_process.IsAlive()) throw Failed("it ended");
                await Task.Delay(_lookAgain, limit.Token);
            }
        }
        catch (Exception e)
        {
            // One that we have just started is of no use to anyone now, and the next start must not find it half ready.
            if (!IsAdopted) await StopAsync(_process, CancellationToken.None);
            cancellationToken.ThrowIfCancellationRequested();
            if (e is OperationCanceledException) throw Failed($"it did not accept connections within {_options.StartLimit.TotalSeconds:0} s");
            throw;
        }
    }

    /// <summary>False while the server cannot be asked yet.</summary>
    private async Task<bool> TryPrepareAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = new NpgsqlConnection(ConnectionStringFor(_socketFolder ?? LocalAddress, "postgres") + ";Pooling=false");
            await connection.OpenAsync(cancellationToken);
            await using var look = new NpgsqlCommand($"SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = '{Name}')", connection);
            if (await look.ExecuteScalarAsync(cancellationToken) is true) return true;
            await using var create = new NpgsqlCommand($"CREATE DATABASE {Name}", connection);
            await create.ExecuteNonQueryAsync(cancellationToken);
            return true;
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.InvalidPassword)
        {
            throw Failed($"the password in '{PasswordFile}' is not the server's");
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private async Task StopAsync(ProcessIdentity process, CancellationToken cancellationToken)
    {
        // pg_ctl(1): INT is a fast shutdown; QUIT does without a checkpoint, which the next start makes good.
        foreach (var signal in new[] { ProcessSignal.Interrupt, ProcessSignal.Quit, ProcessSignal.Kill })
        {
            process.Kill(signal);
            if (!await process.WaitForExitAsync(_stopLimit, cancellationToken)) continue;
            LogStopped(_logger, _root, process.Pid);
            return;
        }

        throw new FabricException(FabricErrorCode.Failed, $"The private Postgres in '{_root}' (process {process.Pid}) cannot be ended.");
    }

    private async Task<string> ReadPasswordAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await File.ReadAllTextAsync(PasswordFile, cancellationToken)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FabricException(FabricErrorCode.Failed, $"The password of the private Postgres cannot be read from '{PasswordFile}': {e.Message}", innerException: e);
        }
    }

    private string ConnectionStringFor(string host, string database) => new NpgsqlConnectionStringBuilder
    {
        Host = host,
        Port = _options.Port,
        Username = Name,
        Password = _password,
        Database = database,
        GssEncryptionMode = GssEncryptionMode.Disable,
    }.ConnectionString;

    private FabricException Failed(string why) => new(
        FabricErrorCode.Failed,
        $"The private Postgres in '{_root}' does not start: {why}. The end of {LogFile}: {LastWords()}");

    private string LastWords()
    {
        var lines = File.Exists(LogFile) ? File.ReadAllLines(LogFile) : [];
        return lines.Length == 0 ? "(empty)" : string.Join(" | ", lines.TakeLast(5).Select(line => line.Trim()));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Creating a private Postgres in {Folder} with the programs in {Binaries}")]
    private static partial void LogCreating(ILogger logger, string folder, string binaries);

    [LoggerMessage(Level = LogLevel.Information, Message = "Private Postgres in {Folder} started as process {Pid}")]
    private static partial void LogStarted(ILogger logger, string folder, int pid);

    [LoggerMessage(Level = LogLevel.Information, Message = "Private Postgres in {Folder} runs already as process {Pid}")]
    private static partial void LogAdopted(ILogger logger, string folder, int pid);

    [LoggerMessage(Level = LogLevel.Information, Message = "Private Postgres in {Folder}, process {Pid}, has ended")]
    private static partial void LogStopped(ILogger logger, string folder, int pid);
}
