using System.CommandLine;
using Architekt.Fabric.Cli.Parsing;
using Architekt.Fabric.Client;

namespace Architekt.Fabric.Cli.Commands;

internal static class PackageCreateCommand
{
    private static readonly TimeSpan _defaultTimeout = TimeSpan.FromMinutes(2);

    public static Command Create(CommandRunner cli)
    {
        var from = new Option<string>("--from") { Description = "Name or digest of the blueprint to boot.", HelpName = "BLUEPRINT", Required = true };
        var name = Arguments.NameOption("--name", "package", "Name of the package; must be free on the host.");
        name.Required = true;
        var host = Arguments.NameOption("--host", "host", "Where to make it; default: the fabric chooses.", "HOST");
        var timeout = Arguments.Time("--timeout", "How long the guest may take until it says that it is up; default: 2m.");
        var vcpus = Arguments.Number("--vcpus", "Virtual CPUs; default: the blueprint's.", 1, 64);
        var memory = Arguments.Size("--memory", "RAM, such as 512M; default: the blueprint's.");
        var append = new Option<string?>("--append") { Description = "Added to the blueprint's kernel command line.", HelpName = "ARGS" };
        var noNetwork = new Option<bool>("--no-network") { Description = "Without a network card; then the package's VMs have none either." };
        var ip = GuestNetwork.Address();
        var gateway = GuestNetwork.Gateway();
        return cli.Bind(
            new Command("create", "Makes a package with memory: boots a blueprint, waits until the guest is up, and writes it down.")
            {
                from, name, host, timeout, vcpus, memory, append, noNetwork, ip, gateway,
            },
            async context =>
            {
                var parsed = context.Parsed;
                var recipe = new PackageRecipe(parsed.GetRequiredValue(from), parsed.GetRequiredValue(name)!, parsed.GetValue(host))
                {
                    Timeout = parsed.GetValue(timeout) ?? _defaultTimeout,
                    Vcpus = (int?)parsed.GetValue(vcpus),
                    MemoryBytes = parsed.GetValue(memory),
                    KernelArguments = parsed.GetValue(append),
                    HasNetwork = !parsed.GetValue(noNetwork),
                    Address = parsed.GetValue(ip),
                    Gateway = parsed.GetValue(gateway),
                };
                var client = await context.ConnectAsync().ConfigureAwait(false);
                return CheckpointFollower.Print(context, await client.CreatePackageAsync(recipe, context.Token).ConfigureAwait(false));
            });
    }
}
