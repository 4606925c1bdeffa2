using System.CommandLine;
using Architekt.Fabric.Cli.Parsing;

namespace Architekt.Fabric.Cli.Commands;

internal static class VmLogsCommand
{
    public static Command Create(CommandRunner cli)
    {
        var name = Arguments.Name("VM");
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on until the VM has ended, also when it moves." };
        var tail = Arguments.Number("--tail", "Begin with the last N lines; default: all.", 0, 1_000_000);
        return cli.Bind(
            new Command("logs", "Prints what the guest wrote to its console.") { name, follow, tail },
            async context =>
            {
                var vm = context.Parsed.GetRequiredValue(name);
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var reader = new LogReader(client, vm, context.Token);
                var sink = LogSink.Create(context, vm, isEndless: context.Parsed.GetValue(follow));
                try
                {
                    var offset = await reader.ReadAsync(context.Parsed.GetValue(tail), sink.Write).ConfigureAwait(false);
                    if (context.Parsed.GetValue(follow))
                    {
                        await foreach (var piece in client.FollowLogAsync(vm, offset, context.Token).ConfigureAwait(false))
                            sink.Write(piece.Data, piece.Epoch);
                    }
                }
                catch (OperationCanceledException) when (context.Token.IsCancellationRequested && context.Parsed.GetValue(follow))
                {
                    // Ctrl-C is how following ends.
                }

                sink.Complete();
                return ExitCode.Ok;
            });
    }
}
