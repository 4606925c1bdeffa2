using System.CommandLine;
using Architekt.Fabric.Cli.Parsing;

namespace Architekt.Fabric.Cli.Commands;

internal static class VmCheckpointCommand
{
    public static Command Create(CommandRunner cli)
    {
        var name = Arguments.Name("VM");
        var package = Arguments.NameOption("--package", "package", "Name of the package to make; must be free on the VM's host.");
        package.Required = true;
        var stop = new Option<bool>("--stop") { Description = "Stop the VM there; by default it goes on." };
        var operation = Arguments.NameOption("--operation", "operation", "Id for the operation: asking again with the same id is the same checkpoint.", "ID");
        return cli.Bind(
            new Command("checkpoint", "Makes a package of a running VM, with its memory and device state.") { name, package, stop, operation },
            async context =>
            {
                var parsed = context.Parsed;
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var checkpoint = await client.CheckpointVmAsync(
                    parsed.GetRequiredValue(name), parsed.GetRequiredValue(package)!, !parsed.GetValue(stop), parsed.GetValue(operation), context.Token).ConfigureAwait(false);
                return await CheckpointFollower.FollowAsync(context, checkpoint).ConfigureAwait(false);
            });
    }
}
