using System.CommandLine;
using Architekt.Fabric.Cli.Parsing;

namespace Architekt.Fabric.Cli.Commands;

internal static class VmStartCommand
{
    private static readonly TimeSpan _defaultTimeout = TimeSpan.FromMinutes(5);

    public static Command Create(CommandRunner cli)
    {
        var name = Arguments.Name("VM");
        var wait = new Option<bool>("--wait") { Description = "Wait until the guest says that it is up." };
        var timeout = Arguments.Time("--timeout", "How long to wait; default: 5m.");
        return cli.Bind(
            new Command("start", "Boots a stopped VM from its own disk.") { name, wait, timeout },
            async context =>
            {
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var vm = await client.StartVmAsync(context.Parsed.GetRequiredValue(name), context.Token).ConfigureAwait(false);
                if (context.Parsed.GetValue(wait))
                    vm = await client.WaitForVmAsync(vm.Name, VmState.Running, context.Parsed.GetValue(timeout) ?? _defaultTimeout, context.Token).ConfigureAwait(false);
                return context.Print(VmCommands.Details, vm);
            });
    }
}
