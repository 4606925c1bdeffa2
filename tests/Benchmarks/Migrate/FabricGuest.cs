using System.Net;
using System.Text.Json;
using Architekt.Fabric.Benchmarks.Hosts;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Benchmarks.Migrate;

/// <summary>The guest the fabric runs, moved by the fabric's own command.</summary>
internal sealed class FabricGuest(MigrateOptions options, IReadOnlyList<BenchHost> hosts) : IMigratingGuest
{
    public const string Vm = "redis";

    // docs/cli.md, exit codes.
    private const int Unreachable = 6;
    private const int Attempts = 3;

    public IPEndPoint Redis { get; } = new(options.FabricAddress, 6379);

    public (BenchHost Host, RunningInstance Instance) Where() =>
        hosts.Select(host => (host, host.Find(Vm))).First(found => found.Item2 is not null)!;

    public async Task<MigrationNumbers> MigrateAsync(CancellationToken cancellationToken)
    {
        var to = hosts.First(host => host != Where().Host);
        using var json = JsonDocument.Parse(await RunFabricAsync(["vm", "migrate", Vm, "--to", to.Name, "-o", "json"], cancellationToken));
        var result = json.RootElement;
        return new MigrationNumbers(
            result.GetProperty("totalMs").GetDouble(),
            result.GetProperty("pauseMs").GetDouble(),
            result.GetProperty("bytes").GetProperty("onWire").GetInt64());
    }

    public Task RestartAsync(CancellationToken cancellationToken) =>
        throw new InvalidOperationException("The fabric's guest was damaged by a migration; that is a fault of the fabric, and the numbers mean nothing.");

    private async Task<string> RunFabricAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var result = await Command.RunAsync(
                "dotnet",
                [Path.Combine(options.RunFolder, "cli", "fabric.dll"), .. arguments],
                new CommandOptions { Environment = new Dictionary<string, string?> { ["FABRIC_GATEWAYS"] = options.Gateways } },
                cancellationToken);
            if (result.Succeeded) return result.StandardOutput;
            // The command gives a silo 4 seconds to answer, which is little on a machine that emulates two guests.
            if (result.ExitCode != Unreachable || attempt == Attempts)
                throw new InvalidOperationException($"`fabric {string.Join(' ', arguments)}` exited with {result.ExitCode}: {result.StandardError.Trim()}");
        }
    }
}
