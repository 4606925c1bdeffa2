using System.Net;
using Architekt.Fabric.Benchmarks.Hosts;
using Architekt.Fabric.Demo.Load;
using Architekt.Fabric.Qemu;

namespace Architekt.Fabric.Benchmarks.Migrate;

/// <summary>
/// The same guest under the same load, moved by the fabric and by stock QEMU in turn, on the same two hosts. One guest is under load at a
/// time; the other one idles.
/// </summary>
internal sealed class MigrateBenchmark(MigrateOptions options)
{
    private const string Fabric = "fabric";
    private const string StockTold5 = "stock, 5 ms";
    private const string StockDefault = "stock, 300 ms";
    private const int Keys = 20_000;
    private const int PeerStarts = 10;
    private static readonly TimeSpan _answerTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan _warmUp = TimeSpan.FromSeconds(2);

    private readonly BenchHost[] _hosts =
        [new("host-a", options.RunFolder, options.NamespacePrefix), new("host-b", options.RunFolder, options.NamespacePrefix)];

    public async Task<int> RunAsync(CancellationToken cancellationToken = default)
    {
        var fabric = new FabricGuest(options, _hosts);
        var (host, instance) = fabric.Where();
        await PrintPeerAsync(host, instance, cancellationToken);

        IPAddress[] addresses = [.. options.Gateways.Split(',').Select(gateway => IPEndPoint.Parse(gateway).Address)];
        await using var stock = new StockGuest(options, _hosts, addresses, instance.Machine);
        await stock.StartAsync(cancellationToken);
        Console.WriteLine();
        Console.WriteLine($"{options.Migrations} migrations each, in turn. Stock QEMU: {instance.Machine.MachineType}, {instance.Machine.Accelerator}, RAM of its own, over TCP, no limit of bandwidth,");
        Console.WriteLine("told a downtime of 5 ms or left at its 300 ms; its disk is on shared storage and not mirrored, the fabric's is mirrored.");
        Console.WriteLine("Total: fabric from the request to the end; stock from the start of the destination's QEMU until the source is gone.");
        Console.WriteLine();

        List<Sample> samples = [];
        Report.PrintHeader();
        for (var i = 0; i < options.Migrations; i++)
        {
            samples.Add(await MeasureAsync(Fabric, fabric, cancellationToken));
            stock.DowntimeLimitMs = 5;
            samples.Add(await MeasureAsync(StockTold5, stock, cancellationToken));
            stock.DowntimeLimitMs = 300;
            samples.Add(await MeasureAsync(StockDefault, stock, cancellationToken));
        }

        Console.WriteLine();
        Console.WriteLine("Medians:");
        Report.PrintHeader();
        Report.PrintSummary(samples);
        Console.WriteLine();
        var pause = MedianPause(samples, Fabric);
        Console.WriteLine($"median pause: fabric {pause:F1} ms (goal: 15 or less), {pause / MedianPause(samples, StockTold5):F2} times stock QEMU told 5 ms "
            + $"(goal: 3 or less), {pause / MedianPause(samples, StockDefault):F2} times stock QEMU left at 300 ms");
        await new WireBenchmark(options, stock).RunAsync(cancellationToken);
        return samples.All(sample => sample.Variant != Fabric || sample.Damage is null) ? 0 : 1;
    }

    private static double MedianPause(IEnumerable<Sample> samples, string variant) =>
        Report.Median(samples.Where(sample => sample.Variant == variant && sample.Numbers is not null), sample => sample.Numbers!.PauseMs);

    private async Task PrintPeerAsync(BenchHost host, RunningInstance instance, CancellationToken cancellationToken)
    {
        var starts = await PeerNumbers.MeasureStartAsync(options, instance.Machine, PeerStarts, cancellationToken);
        Console.WriteLine($"peer, exec to first answer: median {Report.Median(starts, ms => ms):F0} ms of {starts.Count}, {starts.Min():F0} to {starts.Max():F0} ms (goal: 100 or less)");
        Console.WriteLine($"peer, resident besides the guest's RAM: {PeerNumbers.ResidentBytes(instance) / 1e6:F1} MB (goal: below 40)");
        var (peer, silo, qemu) = await PeerNumbers.MeasureIdleAsync(host, instance, cancellationToken);
        Console.WriteLine($"CPU over 10 idle seconds, in ticks of 10 ms: peer {peer}, silo {silo}, QEMU {qemu}");
    }

    private static async Task<Sample> MeasureAsync(string variant, IMigratingGuest guest, CancellationToken cancellationToken)
    {
        MigrationNumbers? numbers = null;
        string? failure = null;
        LoadReport report;
        GapReport before, during;
        await using (var load = await RedisLoad.StartAsync(guest.Redis, "bench", Keys, _answerTimeout, TimeProvider.System))
        {
            load.Log.Begin("before");
            await Task.Delay(_warmUp, cancellationToken);
            load.Log.End("before");
            load.Log.Begin("during");
            try
            {
                numbers = await guest.MigrateAsync(cancellationToken);
            }
            catch (Exception e) when (e is QmpException or QmpConnectionException or InvalidOperationException or OperationCanceledException)
            {
                cancellationToken.ThrowIfCancellationRequested();
                failure = e is OperationCanceledException ? "the migration did not come to an end" : $"the migration failed: {e.Message}";
            }
            load.Log.End("during");
            report = await load.FinishAsync();
            before = load.Log.Measure("before");
            during = load.Log.Measure("during");
        }

        var sample = new Sample(variant, numbers, during.LongestGapMs, before.Writes / before.Seconds, failure ?? Damage(report));
        Report.Print(sample);
        if (sample.Damage is not null) await guest.RestartAsync(cancellationToken);
        return sample;
    }

    private static string? Damage(LoadReport report) => report switch
    {
        { Failure: not null } when report.LostWrites == report.AcknowledgedWrites => "DAMAGED: it answers no more",
        { Failure: { } failure } => $"DAMAGED: {failure.Split(',')[0]}; on a new connection {report.LostWrites} of {report.AcknowledgedWrites} writes are not there",
        { LostWrites: > 0 } => $"DAMAGED: {report.LostWrites} of {report.AcknowledgedWrites} writes are not there",
        { ConnectionSurvived: false } => $"DAMAGED: the connection did not survive: {report.SocketsOpened} opened, {report.ConnectionsFailed} lost; "
            + $"first {report.Connection}, last {report.ConnectionInTheEnd}",
        _ => null,
    };
}
