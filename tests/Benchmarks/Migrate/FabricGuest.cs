using System.Net;
using System.Text.Json;
using Architekt.Fabric.Benchmarks.Hosts;

namespace Architekt.Fabric.Benchmarks.Migrate;

/// <summary>The guest the fabric runs, moved by the fabric's own command.</summary>
internal sealed class FabricGuest(MigrateOptions options, IReadOnlyList<BenchHost> hosts) : IMigratingGuest
{
    public const string Vm = "redis";

    private readonly FabricCommand _fabric = new(options.RunFolder, options.Gateways);

    public IPEndPoint Redis { get; } = new(options.FabricAddress, 6379);

    public (BenchHost Host, RunningInstance Instance) Where() =>
        hosts.Select(host => (host, host.Find(Vm))).First(found => found.Item2 is not null)!;

    public async Task<MigrationNumbers> MigrateAsync(CancellationToken cancellationToken)
    {
        var to = hosts.First(host => host != Where().Host);
        using var json = JsonDocument.Parse(await _fabric.RunAsync(["vm", "migrate", Vm, "--to", to.Name, "-o", "json"], cancellationToken));
        var result = json.RootElement;
        return new MigrationNumbers(
            result.GetProperty("totalMs").GetDouble(),
            result.GetProperty("pauseMs").GetDouble(),
            result.GetProperty("bytes").GetProperty("onWire").GetInt64());
    }

    public Task RestartAsync(CancellationToken cancellationToken) =>
        throw new InvalidOperationException("The fabric's guest was damaged by a migration; that is a fault of the fabric, and the numbers mean nothing.");
}
