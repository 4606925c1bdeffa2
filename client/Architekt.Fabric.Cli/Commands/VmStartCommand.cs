using System.CommandLine;
using Architekt.Fabric.Cli.Parsing;

namespace Architekt.Fabric.Cli.Commands;

internal static class VmStartCommand
{
    public static Command Create(CommandRunner cli)
    {
        var name = Arguments.Name("VM");
        var wait = new Option<bool>("--wait") { Description = "Wait until the guest says that it is up." };
        var waiting = new VmWaiting("How long to wait", TimeSpan.FromMinutes(5));
        return cli.Bind(
            new Command("start", "Boots a stopped VM from its own disk.") { name, wait, waiting.Timeout },
            async context =>
            {
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var vm = await client.StartVmAsync(context.Parsed.GetRequiredValue(name), context.Token).ConfigureAwait(false);
                if (context.Parsed.GetValue(wait))
                    vm = await waiting.WaitAsync(context, client, vm.Name, VmState.Running).ConfigureAwait(false);
                return context.Print(VmCommands.Details, vm);
            });
    }
}
