using System.CommandLine;
using Architekt.Fabric.Cli.Output;
using Architekt.Fabric.Cli.Parsing;
using Architekt.Fabric.Client;
using Architekt.Fabric.Packages;

namespace Architekt.Fabric.Cli.Commands;

/// <summary>Commands that change what a host's store has, and the one that takes a package out of it.</summary>
internal static class PackageRegistryCommands
{
    public static Command Tag(CommandRunner cli)
    {
        var package = Arguments.Package();
        var name = Arguments.PackageName("NEW", "The further name, with a tag if wanted, such as redis:7.2.");
        var host = HostOption();
        var move = new Option<bool>("--move") { Description = "Take the name from another package that has it." };
        return cli.Bind(
            new Command("tag", "Makes a further name stand for a package.") { package, name, host, move },
            async context =>
            {
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var tagged = await client.TagPackageAsync(
                    context.Parsed.GetRequiredValue(host)!,
                    context.Parsed.GetRequiredValue(package),
                    context.Parsed.GetRequiredValue(name),
                    context.Parsed.GetValue(move),
                    context.Token).ConfigureAwait(false);
                return context.Print(PackageCommands.ImportDetails, tagged);
            });
    }

    public static Command Untag(CommandRunner cli)
    {
        var name = Arguments.PackageName("NAME", "The name to remove, with its tag.");
        var host = HostOption();
        return cli.Bind(
            new Command("untag", "Removes a name; its package stays until 'gc' finds that it has no other and nobody uses it.") { name, host },
            async context =>
            {
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var (removed, hostName) = (context.Parsed.GetRequiredValue(name), context.Parsed.GetRequiredValue(host)!);
                var digest = await client.UntagPackageAsync(hostName, removed, context.Token).ConfigureAwait(false);
                return Acknowledge(context, removed, "untagged", $"'{removed}' no longer stands for {digest} on {hostName}.");
            });
    }

    public static Command Pull(CommandRunner cli)
    {
        var package = Arguments.Package();
        var host = HostOption();
        var name = Arguments.PackageNameOption("--name", "A name it gets there if that is free; default: the name that was asked for.");
        return cli.Bind(
            new Command("pull", "Brings a package to a host from a host that has it, and waits until it is there.") { package, host, name },
            async context =>
            {
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var (wanted, hostName) = (context.Parsed.GetRequiredValue(package), context.Parsed.GetRequiredValue(host)!);
                var pulled = await new ByteProgressDisplay(context, $"pulling {wanted} to {hostName}").RunAsync(
                    display => client.PullPackageAsync(
                        hostName,
                        wanted,
                        context.Parsed.GetValue(name),
                        Relay<PackageImport>.To(display, pull => new ByteProgress(pull.BytesDone, pull.BytesTotal)),
                        context.Token)).ConfigureAwait(false);
                return context.Print(PackageCommands.ImportDetails, pulled);
            });
    }

    public static Command Delete(CommandRunner cli)
    {
        var package = Arguments.Package();
        var host = HostOption();
        return cli.Bind(
            new Command("delete", "Removes a name and the package with its last name; or, by digest, a package. Refused while it is used.") { package, host },
            async context =>
            {
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var (doomed, hostName) = (context.Parsed.GetRequiredValue(package), context.Parsed.GetRequiredValue(host)!);
                await client.DeletePackageAsync(hostName, doomed, context.Token).ConfigureAwait(false);
                return Acknowledge(context, doomed, "deleted", $"'{doomed}' is deleted on {hostName}.");
            });
    }

    public static Command Collect(CommandRunner cli)
    {
        var host = Arguments.NameOption("--host", "host", "Only this host; default: all that answer.", "HOST");
        return cli.Bind(
            new Command("gc", "Removes packages that have neither a name nor a user, and pulls that were given up.") { host },
            async context =>
            {
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var hosts = context.Parsed.GetValue(host) is { } only
                    ? [only]
                    : (await client.ListHostsAsync(context.Token).ConfigureAwait(false)).Where(known => known.State == HostState.Ready).Select(known => known.Name);
                var cleanings = new List<PackageCleaning>();
                foreach (var name in hosts) cleanings.Add(await client.CollectPackagesAsync(name, context.Token).ConfigureAwait(false));
                return context.Print(CleaningListing, cleanings);
            });
    }

    public static Command Export(CommandRunner cli)
    {
        var package = Arguments.Package();
        var file = new Argument<string>("FILE") { Description = "The .ark archive to write, on this machine." };
        var host = Arguments.NameOption("--host", "host", "The host to take it from; default: any that has it.", "HOST");
        var level = Arguments.Number("--level", "How hard to compress, 1 (fast) to 22 (small); default: 3.", 1, 22);
        var overwrite = new Option<bool>("--overwrite") { Description = "Replace the file if it is there." };
        return cli.Bind(
            new Command("export", "Writes a package of a host's store into an archive on this machine.") { package, file, host, level, overwrite },
            async context =>
            {
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var wanted = context.Parsed.GetRequiredValue(package);
                var hostName = context.Parsed.GetValue(host) ?? await FindHostAsync(context, client, wanted).ConfigureAwait(false);
                var options = new ArkWriteOptions
                {
                    Level = (int?)context.Parsed.GetValue(level) ?? ArkWriteOptions.DefaultLevel,
                    Overwrite = context.Parsed.GetValue(overwrite),
                };
                var path = context.Parsed.GetRequiredValue(file);
                var archive = await new ByteProgressDisplay(context, $"exporting {wanted} from {hostName}").RunAsync(
                    display => client.ExportPackageAsync(hostName, wanted, path, options, PackageFileCommands.Relay(display), context.Token)).ConfigureAwait(false);
                if (context.IsJson) context.Json.WriteObject(ExportedArchive.From(archive));
                else context.Host.Out.WriteLine(context.IsQuiet ? archive.Path : $"{archive.Path}: {archive.Digest}, {ByteSize.Format(archive.FileSize)}");
                return ExitCode.Ok;
            });
    }

    private static async Task<string> FindHostAsync(CommandContext context, FabricClient client, string package)
    {
        var copies = await PackageCommands.OnAllHostsAsync(
            context,
            client,
            async host => await client.FindPackageAsync(host, package, context.Token).ConfigureAwait(false) is { } found ? [found] : []).ConfigureAwait(false);
        if (copies.Count == 0) throw FabricException.NotFound($"There is no package '{package}' on any host that answers.");
        return copies.DistinctBy(copy => copy.Digest).Count() == 1
            ? copies[0].Host
            : throw FabricException.Conflict($"Package '{package}' is not the same on every host; choose one with --host.");
    }

    private static ExitCode Acknowledge(CommandContext context, string name, string done, string text)
    {
        if (context.IsJson) context.Json.WriteObject(new Acknowledgement(name, done));
        else context.Host.Out.WriteLine(context.IsQuiet ? name : text);
        return ExitCode.Ok;
    }

    private static Option<string?> HostOption()
    {
        var host = Arguments.NameOption("--host", "host", "The host whose store it is.", "HOST");
        host.Required = true;
        return host;
    }

    private static Listing<PackageCleaning> CleaningListing { get; } = new Listing<PackageCleaning>(cleaning => cleaning.Host)
        .Add("HOST", cleaning => cleaning.Host)
        .AddNumber("PACKAGES", cleaning => $"{cleaning.Packages.Count}")
        .AddNumber("PULLS", cleaning => $"{cleaning.Partials.Count}")
        .AddNumber("FREED", cleaning => ByteSize.Format(cleaning.Bytes));
}
