using System.CommandLine;
using Architekt.Fabric.Cli.Parsing;

namespace Architekt.Fabric.Cli.Commands;

internal static class VmMigrateCommand
{
    private static readonly MigrationOptions _defaults = new();

    public static Command Create(CommandRunner cli)
    {
        var name = Arguments.Name("VM");
        var to = Arguments.NameOption("--to", "host", "The host to move to.", "HOST");
        to.Required = true;
        var verify = new Option<bool>("--verify") { Description = "Compare digests of the RAM on both sides before the move is final. Lengthens the pause." };
        var pauseBudget = Arguments.Time("--pause-budget", "How long sending the last round may take, 1ms to 1m; default: 5ms.");
        var maxRounds = Arguments.Number("--max-rounds", $"Rounds after which copying gives up; default: {_defaults.MaxRounds}.", 1, 10_000);
        var timeout = Arguments.Time("--timeout", "How long copying may take before the migration is given up, 1s to 1d; default: 10m.");
        var connections = Arguments.Number("--connections", $"Connections between the hosts; default: {_defaults.Connections}.", 1, 16);
        var bandwidth = Arguments.Size("--bandwidth", "Limit for copying, in bytes per second, such as 100M; 0 is none; default: 0.");
        var operation = Arguments.NameOption("--operation", "operation", "Id for the operation: asking again with the same id is the same migration.", "ID");
        var detach = new Option<bool>("--detach") { Description = "Return as soon as the migration is accepted." };
        return cli.Bind(
            new Command("migrate", "Moves a VM to another host: while it runs, or with it stopped.")
            {
                name, to, verify, pauseBudget, maxRounds, timeout, connections, bandwidth, operation, detach,
            },
            async context =>
            {
                var parsed = context.Parsed;
                var options = new MigrationOptions(
                    parsed.GetValue(verify),
                    WholeMilliseconds("--pause-budget", parsed.GetValue(pauseBudget), _defaults.PauseBudgetMs),
                    (int)(parsed.GetValue(maxRounds) ?? _defaults.MaxRounds),
                    WholeMilliseconds("--timeout", parsed.GetValue(timeout), _defaults.TimeoutMs),
                    (int)(parsed.GetValue(connections) ?? _defaults.Connections),
                    parsed.GetValue(bandwidth) ?? _defaults.BandwidthBytesPerSecond);
                options.Validate();
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var started = await client.StartMigrationAsync(
                    parsed.GetRequiredValue(name), parsed.GetRequiredValue(to)!, options, parsed.GetValue(operation), context.Token).ConfigureAwait(false);
                var info = started.Started ?? await started.GetInfoAsync(context.Token).ConfigureAwait(false);
                var follower = new MigrationFollower(context, client, started, info);
                return parsed.GetValue(detach) ? follower.Detach() : await follower.FollowAsync().ConfigureAwait(false);
            });
    }

    private static int WholeMilliseconds(string option, TimeSpan? value, int fallback)
    {
        if (value is null) return fallback;
        var milliseconds = value.Value.TotalMilliseconds;
        return milliseconds == Math.Truncate(milliseconds) && milliseconds <= int.MaxValue
            ? (int)milliseconds
            : throw FabricException.Invalid($"{option} must be whole milliseconds, and less than 25 days.");
    }
}
