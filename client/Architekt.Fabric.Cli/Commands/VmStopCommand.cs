using System.CommandLine;
using Architekt.Fabric.Cli.Parsing;

namespace Architekt.Fabric.Cli.Commands;

internal static class VmStopCommand
{
    public static Command Create(CommandRunner cli)
    {
        var name = Arguments.Name("VM");
        var force = new Option<bool>("--force") { Description = "End it at once, without asking the guest." };
        var waiting = new VmWaiting("How long to wait for the guest to shut down", TimeSpan.FromMinutes(1));
        return cli.Bind(
            new Command("stop", "Shuts a VM down and waits until it has stopped.") { name, force, waiting.Timeout },
            async context =>
            {
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var vm = await client.StopVmAsync(context.Parsed.GetRequiredValue(name), context.Parsed.GetValue(force), context.Token).ConfigureAwait(false);
                if (vm.State is not (VmState.Stopped or VmState.Failed or VmState.Lost))
                {
                    try
                    {
                        vm = await waiting.WaitAsync(context, client, vm.Name, VmState.Stopped).ConfigureAwait(false);
                    }
                    catch (FabricException error) when (error.Code == FabricErrorCode.Timeout)
                    {
                        throw new FabricException(
                            error.Code,
                            $"VM '{vm.Name}' was asked to shut down and has not done so within {Duration.Format(waiting.Limit(context).TotalMilliseconds)}; " +
                            $"end it with: fabric vm stop {vm.Name} --force",
                            error.IsTransient,
                            error);
                    }
                }

                return context.Print(VmCommands.Details, vm);
            });
    }
}
