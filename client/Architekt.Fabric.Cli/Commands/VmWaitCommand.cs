using System.CommandLine;
using Architekt.Fabric.Cli.Output;
using Architekt.Fabric.Cli.Parsing;

namespace Architekt.Fabric.Cli.Commands;

internal static class VmWaitCommand
{
    private static readonly TimeSpan _defaultTimeout = TimeSpan.FromMinutes(5);

    private static readonly Dictionary<string, VmState> _states =
        Enum.GetValues<VmState>().Where(state => state != VmState.Unknown).ToDictionary(Words.Of);

    public static Command Create(CommandRunner cli)
    {
        var name = Arguments.Name("VM");
        var state = new Option<string>("--for") { Description = "The state to wait for.", HelpName = "STATE", Required = true };
        state.AcceptOnlyFromAmong([.. _states.Keys]);
        var timeout = Arguments.Time("--timeout", "How long to wait; default: 5m.");
        return cli.Bind(
            new Command("wait", "Waits until a VM is in a state.") { name, state, timeout },
            async context =>
            {
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var vm = await client.WaitForVmAsync(
                    context.Parsed.GetRequiredValue(name),
                    _states[context.Parsed.GetRequiredValue(state)],
                    context.Parsed.GetValue(timeout) ?? _defaultTimeout,
                    context.Token).ConfigureAwait(false);
                return context.Print(VmCommands.Details, vm);
            });
    }
}
