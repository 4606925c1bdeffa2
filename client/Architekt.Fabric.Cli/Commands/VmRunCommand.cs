using System.CommandLine;
using Architekt.Fabric.Cli.Parsing;

namespace Architekt.Fabric.Cli.Commands;

internal static class VmRunCommand
{
    private static readonly TimeSpan _defaultTimeout = TimeSpan.FromMinutes(5);

    public static Command Create(CommandRunner cli)
    {
        var name = Arguments.Name("VM");
        var package = new Option<string>("--package") { Description = "Name or digest of the package to start from.", HelpName = "PACKAGE", Required = true };
        var host = Arguments.NameOption("--host", "host", "Where to start it; default: the fabric chooses.", "HOST");
        var vcpus = Arguments.Number("--vcpus", "Virtual CPUs; default: the package's.", 1, 64);
        var memory = Arguments.Size("--memory", "RAM, such as 512M; default: the package's.");
        var mac = new Option<string?>("--mac") { Description = "MAC address of its network card; default: derived from the name.", HelpName = "MAC" };
        var append = new Option<string?>("--append") { Description = "Added to the package's kernel command line.", HelpName = "ARGS" };
        var noNetwork = new Option<bool>("--no-network") { Description = "Without a network card." };
        var ip = GuestNetwork.Address();
        var gateway = GuestNetwork.Gateway();
        var fill = FillModes.Option("When the RAM of a package is brought in besides what the guest touches: none, idle or now.");
        var restart = Policies.Restart();
        var availability = Policies.Availability();
        var wait = new Option<bool>("--wait") { Description = "Wait until the guest says that it is up." };
        var timeout = Arguments.Time("--timeout", "How long to wait; default: 5m.");
        return cli.Bind(
            new Command("run", "Creates a VM and starts it: resumes it if the package has memory, boots it otherwise.")
            {
                name, package, host, vcpus, memory, mac, append, noNetwork, ip, gateway, fill, restart, availability, wait, timeout,
            },
            async context =>
            {
                var parsed = context.Parsed;
                var (policy, kind) = Policies.Read(parsed, restart, availability);
                var spec = new VmSpec(
                    parsed.GetRequiredValue(name),
                    parsed.GetRequiredValue(package),
                    parsed.GetValue(host),
                    (int?)parsed.GetValue(vcpus),
                    parsed.GetValue(memory),
                    parsed.GetValue(mac),
                    parsed.GetValue(append),
                    HasNetwork: !parsed.GetValue(noNetwork),
                    parsed.GetValue(ip),
                    parsed.GetValue(gateway),
                    FillModes.Parse(parsed.GetRequiredValue(fill)),
                    policy,
                    kind);
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var vm = await client.RunVmAsync(spec, context.Token).ConfigureAwait(false);
                if (parsed.GetValue(wait))
                    vm = await client.WaitForVmAsync(vm.Name, VmState.Running, parsed.GetValue(timeout) ?? _defaultTimeout, context.Token).ConfigureAwait(false);
                return context.Print(VmCommands.Details, vm);
            });
    }
}
