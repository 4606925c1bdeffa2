using System.CommandLine;
using System.Text;
using Architekt.Fabric.Cli.Output;
using Architekt.Fabric.Cli.Parsing;

namespace Architekt.Fabric.Cli.Commands;

internal static class HostDeclareDeadCommand
{
    public static Command Create(CommandRunner cli)
    {
        var name = Arguments.Name("host");
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask." };
        return cli.Bind(
            new Command("declare-dead", "Asserts that a host is off for good: takes its VMs from it, and has those that want it started elsewhere.") { name, yes },
            async context =>
            {
                var host = context.Parsed.GetRequiredValue(name);
                var client = await context.ConnectAsync().ConfigureAwait(false);
                if (!context.Parsed.GetValue(yes)) await ConfirmAsync(context, host, await client.ListVmsAsync(context.Token).ConfigureAwait(false)).ConfigureAwait(false);
                return context.Print(Details, await client.DeclareHostDeadAsync(host, context.Token).ConfigureAwait(false));
            });
    }

    private static async Task ConfirmAsync(CommandContext context, string host, IReadOnlyList<VmInfo> vms)
    {
        var owned = vms.Where(vm => vm.Host == host).ToList();
        if (!context.Host.IsInTerminal || context.IsJson)
            throw FabricException.Invalid($"Declaring '{host}' dead takes {owned.Count} VMs from it and cannot be asked about here: say that it is off with --yes.");
        context.Host.Error.Write(
            $"""
            You assert that host '{host}' is switched off or cut off for good, and that nothing it has started runs on.
            If that is wrong, its VMs run there until it is back in the fabric, and a second copy of those that are
            restarted elsewhere runs beside them. The fabric cannot check it; a host that comes back ends what it has.
            VMs: {(owned.Count == 0 ? "none" : string.Join(", ", owned.Select(vm => vm.Name)))}
            What they have written since they left their package is on that host's disks and comes back with it only.
            Type the host's name to go on:{' '}
            """);
        if (await ReadLineAsync(context.Host.InStream, context.Token).ConfigureAwait(false) != host)
            throw FabricException.Invalid($"That is not its name: nothing was done to '{host}'.");
    }

    private static async Task<string> ReadLineAsync(Stream input, CancellationToken cancellationToken)
    {
        var line = new List<byte>();
        var piece = new byte[1];
        while (await input.ReadAsync(piece, cancellationToken).ConfigureAwait(false) == 1 && piece[0] != '\n') line.Add(piece[0]);
        return Encoding.UTF8.GetString([.. line]).Trim();
    }

    private static Details<HostDeath> Details { get; } = new Details<HostDeath>(death => death.Host)
        .Add("Host", death => death.Host)
        .Add("Lost", death => death.Lost.Count == 0 ? "nothing" : string.Join(", ", death.Lost))
        .Add("Restarting", death => death.Restarting.Count == 0 ? null : string.Join(", ", death.Restarting));
}
