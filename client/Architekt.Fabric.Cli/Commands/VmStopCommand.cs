using System.CommandLine;
using Architekt.Fabric.Cli.Parsing;

namespace Architekt.Fabric.Cli.Commands;

internal static class VmStopCommand
{
    private static readonly TimeSpan _defaultTimeout = TimeSpan.FromMinutes(1);

    public static Command Create(CommandRunner cli)
    {
        var name = Arguments.Name("VM");
        var force = new Option<bool>("--force") { Description = "End it at once, without asking the guest." };
        var timeout = Arguments.Time("--timeout", "How long to wait for the guest to shut down; default: 1m.");
        return cli.Bind(
            new Command("stop", "Shuts a VM down and waits until it has stopped.") { name, force, timeout },
            async context =>
            {
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var vm = await client.StopVmAsync(context.Parsed.GetRequiredValue(name), context.Parsed.GetValue(force), context.Token).ConfigureAwait(false);
                if (vm.State is not (VmState.Stopped or VmState.Failed or VmState.Lost))
                {
                    var limit = context.Parsed.GetValue(timeout) ?? _defaultTimeout;
                    try
                    {
                        vm = await client.WaitForVmAsync(vm.Name, VmState.Stopped, limit, context.Token).ConfigureAwait(false);
                    }
                    catch (FabricException error) when (error.Code == FabricErrorCode.Timeout)
                    {
                        throw new FabricException(
                            error.Code,
                            $"VM '{vm.Name}' was asked to shut down and has not done so within {Duration.Format(limit.TotalMilliseconds)}; " +
                            $"end it with: fabric vm stop {vm.Name} --force",
                            error.IsTransient,
                            error);
                    }
                }

                return context.Print(VmCommands.Details, vm);
            });
    }
}
