using System.CommandLine;
using Architekt.Fabric.Cli.Output;
using Architekt.Fabric.Cli.Parsing;

namespace Architekt.Fabric.Cli.Commands;

internal static class VmCommands
{
    public static Command Create(CommandRunner cli) => new("vm", "Virtual machines.")
    {
        VmRunCommand.Create(cli),
        List(cli),
        Show(cli),
        VmWaitCommand.Create(cli),
        VmStartCommand.Create(cli),
        VmCheckpointCommand.Create(cli),
        VmMigrateCommand.Create(cli),
        VmStopCommand.Create(cli),
        Delete(cli),
        VmLogsCommand.Create(cli),
        VmConsoleCommand.Create(cli),
        EventCommands.CreateForVm(cli),
        VmOwnerCommand.Create(cli),
        VmOwnerCommand.CreateHistory(cli),
    };

    private static Command List(CommandRunner cli) => cli.Bind(
        new Command("list", "Lists all VMs."),
        async context =>
        {
            var client = await context.ConnectAsync().ConfigureAwait(false);
            return context.Print(Listing(context.Now), await client.ListVmsAsync(context.Token).ConfigureAwait(false));
        });

    private static Command Show(CommandRunner cli)
    {
        var name = Arguments.Name("VM");
        return cli.Bind(
            new Command("show", "Shows a VM.") { name },
            async context =>
            {
                var client = await context.ConnectAsync().ConfigureAwait(false);
                return context.Print(Details, await client.InspectVmAsync(context.Parsed.GetRequiredValue(name), context.Token).ConfigureAwait(false));
            });
    }

    private static Command Delete(CommandRunner cli)
    {
        var name = Arguments.Name("VM");
        var force = new Option<bool>("--force") { Description = "End it first if it runs." };
        return cli.Bind(
            new Command("delete", "Removes a stopped VM and its disk.") { name, force },
            async context =>
            {
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var vm = context.Parsed.GetRequiredValue(name);
                await client.DeleteVmAsync(vm, context.Parsed.GetValue(force), context.Token).ConfigureAwait(false);
                return context.Print(Done, new Acknowledgement(vm, "deleted"));
            });
    }

    public static Details<VmInfo> Details { get; } = new Details<VmInfo>(vm => vm.Name)
        .Add("Name", vm => vm.Name)
        .Add("State", vm => Words.Of(vm.State))
        .Add("Reason", vm => vm.Reason)
        .Add("Host", vm => vm.Host)
        .Add("Epoch", vm => $"{vm.Epoch}")
        .Add("Package", vm => vm.Package)
        .Add("Digest", vm => vm.PackageDigest)
        .Add("vCPUs", vm => $"{vm.Vcpus}")
        .Add("Memory", vm => ByteSize.Format(vm.MemoryBytes))
        .Add("Resident", vm => vm.Usage is { } usage ? ByteSize.Format(usage.ResidentBytes) : null)
        .Add("Fill", vm => vm.Usage?.Fill is { } fill
            ? $"{fill.State} ({fill.Mode}), {ByteSize.Format(fill.FilledBytes)} of {ByteSize.Format(fill.DataBytes)}, {fill.PagesOnDemand} pages on demand"
            : null)
        .Add("MAC", vm => vm.Mac)
        .Add("Operation", vm => vm.Operation)
        .Add("Restart", vm => vm.Restart == VmRestart.Never ? null : Policies.Of(vm.Restart))
        .Add("Availability", vm => vm.Availability == VmAvailability.Normal ? null : Words.Of(vm.Availability))
        .Add("Created", vm => Times.Format(vm.CreatedAt))
        .Add("Owned since", vm => Times.Format(vm.OwnedSince));

    private static Details<Acknowledgement> Done { get; } = new Details<Acknowledgement>(done => done.Name)
        .Add("Name", done => done.Name)
        .Add("Done", done => done.Done);

    private static Listing<VmInfo> Listing(DateTimeOffset now) => new Listing<VmInfo>(vm => vm.Name)
        .Add("NAME", vm => vm.Name)
        .Add("STATE", vm => Words.Of(vm.State), vm => Styles.Of(vm.State))
        .Add("HOST", vm => vm.Host)
        .AddNumber("EPOCH", vm => $"{vm.Epoch}")
        .Add("PACKAGE", vm => vm.Package)
        .AddNumber("VCPUS", vm => $"{vm.Vcpus}")
        .AddNumber("MEMORY", vm => ByteSize.Format(vm.MemoryBytes))
        .Add("OPERATION", vm => vm.Operation)
        .Add("AGE", vm => Duration.FormatAge(now - vm.CreatedAt));
}
