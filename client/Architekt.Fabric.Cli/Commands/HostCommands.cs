using System.CommandLine;
using Architekt.Fabric.Cli.Output;
using Architekt.Fabric.Cli.Parsing;

namespace Architekt.Fabric.Cli.Commands;

internal static class HostCommands
{
    public static Command Create(CommandRunner cli) => new("host", "The machines that run guests.")
    {
        cli.Bind(new Command("list", "Lists all hosts the fabric has seen."), ListAsync),
        HostDeclareDeadCommand.Create(cli),
    };

    private static async Task<ExitCode> ListAsync(CommandContext context)
    {
        var client = await context.ConnectAsync().ConfigureAwait(false);
        var hosts = await client.ListHostsAsync(context.Token).ConfigureAwait(false);
        return context.Print(Listing(context.Now), hosts);
    }

    private static Listing<HostInfo> Listing(DateTimeOffset now) => new Listing<HostInfo>(host => host.Name)
        .Add("NAME", host => host.Name)
        .Add("STATE", host => Words.Of(host.State), host => Styles.Of(host.State))
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
