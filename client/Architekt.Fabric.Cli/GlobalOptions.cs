using System.CommandLine;
using Architekt.Fabric.Cli.Hosting;
using Architekt.Fabric.Cli.Parsing;
using Architekt.Fabric.Client;

namespace Architekt.Fabric.Cli;

/// <summary>The options every command has.</summary>
internal sealed class GlobalOptions
{
    // What is left of the promised 5 seconds once the process has started and before it has said so; at least one second, or a busy machine could never connect.
    private static readonly TimeSpan _connectDeadline = TimeSpan.FromSeconds(4.5);
    private static readonly TimeSpan _shortestConnectTimeout = TimeSpan.FromSeconds(1);

    private readonly Option<string[]> _gateways = new("--gateway")
    {
        Description = $"A silo to enter the fabric through, as host:port; repeatable. Default: FABRIC_GATEWAYS, or {FabricClientOptions.DefaultGateway}.",
        HelpName = "HOST:PORT",
        Recursive = true,
    };

    private readonly Option<string> _output = new("--output", "-o")
    {
        Description = "How to print data: table or json.",
        HelpName = "FORMAT",
        Recursive = true,
        DefaultValueFactory = _ => "table",
    };

    private readonly Option<bool> _quiet = new("--quiet", "-q")
    {
        Description = "Print names and ids only.",
        Recursive = true,
    };

    public GlobalOptions() => _output.AcceptOnlyFromAmong("table", "json");

    public void AddTo(RootCommand root)
    {
        root.Options.Add(_gateways);
        root.Options.Add(_output);
        root.Options.Add(_quiet);
    }

    public bool IsJson(ParseResult parsed) =>
        parsed.GetResult(_output) is { Tokens: [{ Value: "json" }] };

    public bool IsQuiet(ParseResult parsed) => parsed.GetValue(_quiet);

    public FabricClientOptions ClientOptions(ParseResult parsed, CliHost host)
    {
        var options = new FabricClientOptions { ConnectTimeout = ConnectTimeout(host), TimeProvider = host.Time };
        var gateways = parsed.GetValue(_gateways) is { Length: > 0 } named
            ? named
            : host.Environment("FABRIC_GATEWAYS")?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];
        foreach (var gateway in gateways) options.Gateways.Add(gateway);
        if (host.Environment("FABRIC_CLUSTER_ID") is { Length: > 0 } clusterId) options.ClusterId = clusterId;
        return options;
    }

    private static TimeSpan ConnectTimeout(CliHost host)
    {
        if (host.Environment("FABRIC_CONNECT_TIMEOUT") is { Length: > 0 } text)
        {
            return Duration.TryParse(text, out var chosen) && chosen > TimeSpan.Zero
                ? chosen
                : throw FabricException.Invalid($"FABRIC_CONNECT_TIMEOUT is '{text}', which is not a duration: write for example 10s.");
        }

        var left = _connectDeadline - host.Uptime();
        return left > _shortestConnectTimeout ? left : _shortestConnectTimeout;
    }
}
