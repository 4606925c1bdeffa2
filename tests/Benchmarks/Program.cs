using Architekt.Fabric.Benchmarks.Migrate;
using Architekt.Fabric.Benchmarks.Start;

// Started by compose/bench.sh, which prepares the hosts.
switch (args)
{
    case ["migrate", .. var rest] when MigrateOptions.TryParse(rest, out var options):
        return await new MigrateBenchmark(options).RunAsync();
    case ["start", .. var rest] when StartOptions.TryParse(rest, out var options):
        return await new StartBenchmark(options).RunAsync();
    default:
        Console.Error.WriteLine($"Usage: Benchmarks migrate {MigrateOptions.Usage}");
        Console.Error.WriteLine($"       Benchmarks start {StartOptions.Usage}");
        return 2;
}
