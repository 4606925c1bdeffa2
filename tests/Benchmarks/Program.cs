using Architekt.Fabric.Benchmarks.Migrate;

// Started by compose/bench.sh, which prepares the hosts.
switch (args)
{
    case ["migrate", .. var rest] when MigrateOptions.TryParse(rest, out var options):
        return await new MigrateBenchmark(options).RunAsync();
    default:
        Console.Error.WriteLine($"Usage: Benchmarks migrate {MigrateOptions.Usage}");
        return 2;
}
