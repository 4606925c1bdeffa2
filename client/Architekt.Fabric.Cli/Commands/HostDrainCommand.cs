using System.CommandLine;
using Architekt.Fabric.Cli.Parsing;

namespace Architekt.Fabric.Cli.Commands;

internal static class HostDrainCommand
{
    private static readonly DrainOptions _defaults = new();

    public static Command Create(CommandRunner cli)
    {
        var host = Arguments.Name("host", "HOST");
        var deadline = Arguments.Time("--deadline", "When to stop moving, 1s to 7d: what has not moved by then stays; default: never.");
        var parallel = Arguments.Number("--parallel", $"VMs that move at the same time; default: {_defaults.Parallel}.", 1, 32);
        var to = Arguments.NamesOption("--to", "host", "The only hosts VMs may go to; default: all that are open.", "HOST");
        var operation = Arguments.NameOption("--operation", "operation", "Id for the operation: asking again with the same id is the same drain.", "ID");
        var detach = new Option<bool>("--detach") { Description = "Return as soon as the drain is accepted." };
        return cli.Bind(
            new Command("drain", "Cordons a host and moves everything off it, running or stopped.") { host, deadline, parallel, to, operation, detach },
            async context =>
            {
                var parsed = context.Parsed;
                var options = new DrainOptions(
                    (int)(parsed.GetValue(parallel) ?? _defaults.Parallel),
                    parsed.GetValue(deadline) is { } time ? (long)Math.Ceiling(time.TotalMilliseconds) : null,
                    parsed.GetValue(to) is { Length: > 0 } hosts ? hosts : null);
                options.Validate();
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var started = await client.DrainHostAsync(parsed.GetRequiredValue(host), options, parsed.GetValue(operation), context.Token).ConfigureAwait(false);
                var follower = new DrainFollower(context, started, parsed.GetRequiredValue(host));
                return parsed.GetValue(detach) ? follower.Detach() : await follower.FollowAsync().ConfigureAwait(false);
            });
    }
}
