using System.Net;
using System.Text.Json;
using Architekt.Fabric.Benchmarks.Hosts;

namespace Architekt.Fabric.Benchmarks.Migrate;

/// <summary>What goes over the wire when a guest that was resumed from its package moves, for the first time, to a host that has the package, and what stock QEMU sends of the same guest.</summary>
internal sealed class WireBenchmark(MigrateOptions options, StockGuest stock)
{
    private const string Vm = "wire";
    private const string Mac = "52:54:00:77:00:61";
    private const long FreshBytes = 20_000_000;
    private const double FreshGoal = 1.0 / 3;
    private const double IdleGoal = 1.0 / 10;
    private static readonly TimeSpan _interval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan _deadline = TimeSpan.FromMinutes(1);

    private readonly FabricCommand _fabric = new(options.RunFolder, options.Gateways);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Console.WriteLine();
        Console.WriteLine("On the wire: a guest resumed from its package, for the first time to a host that has the package; stock QEMU moves the same guest, booted. Nothing is compressed.");
        Console.WriteLine($"{"guest",-22} {"fabric MB",10} {"stock MB",10} {"ratio",7} {"goal",14}  not sent");
        Print("20 MB of fresh data", await MeasureAsync(FreshBytes, cancellationToken), FreshGoal);
        Print("idle", await MeasureAsync(0, cancellationToken), IdleGoal);
    }

    private async Task<WireNumbers> MeasureAsync(long fresh, CancellationToken cancellationToken)
    {
        await stock.RestartAsync(cancellationToken);
        await FreshData.WriteAsync(stock.Redis, fresh, cancellationToken);
        var stockOnWire = (await stock.MigrateAsync(cancellationToken)).BytesOnWire;

        var redis = new IPEndPoint(options.PackageAddress, 6379);
        await RedisProbe.KnowAsync(options.PackageAddress, Mac);
        await _fabric.RunAsync(["vm", "run", Vm, "--package", options.Package, "--host", "host-a", "--ip", $"{options.PackageAddress}/24", "--mac", Mac], cancellationToken);
        await RedisProbe.WaitAsync(redis, _interval, _deadline, cancellationToken);
        await FreshData.WriteAsync(redis, fresh, cancellationToken);
        using var json = JsonDocument.Parse(await _fabric.RunAsync(["vm", "migrate", Vm, "--to", "host-b", "-o", "json"], cancellationToken));
        await RedisProbe.WaitAsync(redis, _interval, _deadline, cancellationToken);
        await _fabric.RunAsync(["vm", "delete", Vm, "--force"], cancellationToken);
        var bytes = json.RootElement.GetProperty("bytes");
        return new WireNumbers(
            fresh,
            bytes.GetProperty("onWire").GetInt64(),
            bytes.GetProperty("base").GetInt64(),
            bytes.GetProperty("skipped").GetInt64(),
            json.RootElement.TryGetProperty("base", out var name) ? name.GetString() : null,
            stockOnWire);
    }

    private static void Print(string guest, WireNumbers numbers, double goal)
    {
        var ratio = (double)numbers.OnWire / numbers.StockOnWire;
        Console.WriteLine(
            $"{guest,-22} {numbers.OnWire / 1e6,10:F1} {numbers.StockOnWire / 1e6,10:F1} {ratio,7:F3} {$"{goal:F3} or less",14}{(ratio <= goal ? ": met" : ": MISSED")}  "
            + $"{numbers.InBase / 1e6:F1} MB that the destination had ({numbers.Base ?? "nothing"}), {numbers.Skipped / 1e6:F1} MB never held anything");
    }
}
