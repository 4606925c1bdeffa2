using System.CommandLine;
using Architekt.Fabric.Cli.Output;
using Architekt.Fabric.Cli.Parsing;

namespace Architekt.Fabric.Cli.Commands;

internal static class HostCommands
{
    public static Command Create(CommandRunner cli) => new("host", "The machines that run guests.")
    {
        cli.Bind(new Command("list", "Lists all hosts the fabric has seen."), ListAsync),
        Cordon(cli, "cordon", "Closes a host to new VMs and migrations. What runs there stays.", isCordoned: true),
        Cordon(cli, "uncordon", "Opens a host to VMs again.", isCordoned: false),
        HostDrainCommand.Create(cli),
        HostDeclareDeadCommand.Create(cli),
    };

    private static Command Cordon(CommandRunner cli, string verb, string description, bool isCordoned)
    {
        var name = Arguments.Name("host", "HOST");
        return cli.Bind(
            new Command(verb, description) { name },
            async context =>
            {
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var host = context.Parsed.GetRequiredValue(name);
                var info = await (isCordoned ? client.CordonHostAsync(host, context.Token) : client.UncordonHostAsync(host, context.Token)).ConfigureAwait(false);
                return context.Print(Details, info);
            });
    }

    private static Details<HostInfo> Details { get; } = new Details<HostInfo>(host => host.Name)
        .Add("Host", host => host.Name)
        .Add("State", State)
        .Add("VMs", host => $"{host.VmCount}");

    private static string State(HostInfo host) => host.IsCordoned ? $"{Words.Of(host.State)},cordoned" : Words.Of(host.State);

    private static async Task<ExitCode> ListAsync(CommandContext context)
    {
        var client = await context.ConnectAsync().ConfigureAwait(false);
        var hosts = await client.ListHostsAsync(context.Token).ConfigureAwait(false);
        return context.Print(Listing(context.Now), hosts);
    }

    private static Listing<HostInfo> Listing(DateTimeOffset now) => new Listing<HostInfo>(host => host.Name)
        .Add("NAME", host => host.Name)
        .Add("STATE", State, Styles.Of)
        .Add("ADDRESS", host => host.Address)
        .AddNumber("VCPUS", host => $"{host.Vcpus}")
        .AddNumber("MEMORY", host => ByteSize.Format(host.MemoryBytes))
        .AddNumber("USED", host => ByteSize.Format(host.MemoryUsedBytes))
        .AddNumber("VMS", host => $"{host.VmCount}")
        .Add("ACCEL", host => host.Accelerator)
        .Add("QEMU", host => host.QemuVersion)
        .Add("KERNEL", host => host.Kernel)
        .Add("LIVE", host => host.LiveMigration ? "yes" : "no")
        .Add("SEEN", host => Duration.FormatAge(now - host.LastSeen));
}
