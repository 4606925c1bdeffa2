using System.CommandLine;
using Architekt.Fabric.Cli.Output;
using Architekt.Fabric.Cli.Parsing;

namespace Architekt.Fabric.Cli.Commands;

internal static class VmWaitCommand
{
    private static readonly Dictionary<string, VmState> _states =
        Enum.GetValues<VmState>().Where(state => state != VmState.Unknown).ToDictionary(Words.Of);

    public static Command Create(CommandRunner cli)
    {
        var name = Arguments.Name("VM");
        var state = new Option<string>("--for") { Description = "The state to wait for.", HelpName = "STATE", Required = true };
        state.AcceptOnlyFromAmong([.. _states.Keys]);
        var waiting = new VmWaiting("How long to wait", TimeSpan.FromMinutes(5));
        return cli.Bind(
            new Command("wait", "Waits until a VM is in a state.") { name, state, waiting.Timeout },
            async context =>
            {
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var vm = await waiting.WaitAsync(
                    context, client, context.Parsed.GetRequiredValue(name), _states[context.Parsed.GetRequiredValue(state)]).ConfigureAwait(false);
                return context.Print(VmCommands.Details, vm);
            });
    }
}
