using System.CommandLine;
using Architekt.Fabric.Cli.Hosting;
using Architekt.Fabric.Cli.Output;
using Architekt.Fabric.Client;

namespace Architekt.Fabric.Cli;

/// <summary>One run of one command.</summary>
internal sealed class CommandContext(CliHost host, ParseResult parsed, GlobalOptions options, CancellationToken cancellationToken) : IAsyncDisposable
{
    private FabricClient? _client;

    public CliHost Host => host;

    public ParseResult Parsed => parsed;

    public bool IsJson { get; } = options.IsJson(parsed);

    public bool IsQuiet { get; } = options.IsQuiet(parsed);

    /// <summary>Cancelled by Ctrl-C.</summary>
    public CancellationToken Token => cancellationToken;

    public DateTimeOffset Now => host.Time.GetUtcNow();

    public async Task<FabricClient> ConnectAsync() =>
        _client ??= await host.Connect(options.ClientOptions(parsed, host), cancellationToken).ConfigureAwait(false);

    public JsonOutput Json => new(host.Out, isIndented: host.IsOutTerminal);

    /// <summary>Prints a list: ids, a JSON array, or a table.</summary>
    public ExitCode Print<T>(Listing<T> listing, IReadOnlyList<T> rows)
    {
        if (IsQuiet)
        {
            foreach (var row in rows) host.Out.WriteLine(listing.Id(row));
        }
        else if (IsJson)
        {
            Json.WriteArray(rows);
        }
        else
        {
            listing.Write(host, rows);
        }

        return ExitCode.Ok;
    }

    /// <summary>Prints one thing: its id, a JSON object, or its fields.</summary>
    public ExitCode Print<T>(Details<T> details, T value)
        where T : notnull
    {
        if (IsQuiet) host.Out.WriteLine(details.Id(value));
        else if (IsJson) Json.WriteObject(value);
        else details.Write(host.Out, value);
        return ExitCode.Ok;
    }

    /// <summary>Says something that is not data. Not said when only data was asked for.</summary>
    public void Note(string text)
    {
        if (!IsQuiet && !IsJson) host.Error.WriteLine(text);
    }

    /// <summary>Says what went wrong and returns the exit code for it.</summary>
    public ExitCode Report(FabricException error)
    {
        ErrorReport.Write(host, IsJson, error);
        return ExitCodes.Of(error.Code);
    }

    public async ValueTask DisposeAsync()
    {
        if (_client is not null) await _client.DisposeAsync().ConfigureAwait(false);
    }
}
