using System.CommandLine;
using Architekt.Fabric.Cli.Output;
using Architekt.Fabric.Cli.Parsing;
using Architekt.Fabric.Client;

namespace Architekt.Fabric.Cli.Commands;

internal static class PackageCommands
{
    public static Command Create(CommandRunner cli) => new("package", "What VMs are started from.")
    {
        PackageCreateCommand.Create(cli),
        Import(cli),
        List(cli),
        Show(cli),
        PackageRegistryCommands.Tag(cli),
        PackageRegistryCommands.Untag(cli),
        PackageRegistryCommands.Pull(cli),
        PackageRegistryCommands.Delete(cli),
        PackageRegistryCommands.Collect(cli),
        PackageRegistryCommands.Export(cli),
        PackageFileCommands.Inspect(cli),
        PackageFileCommands.Verify(cli),
        PackageFileCommands.Diff(cli),
    };

    private static Command Import(CommandRunner cli)
    {
        var path = new Argument<string>("PATH") { Description = "A folder or an .ark archive on this machine, or on the host itself with --on-host." };
        var host = Arguments.NameOption("--host", "host", "The host whose store it goes into.", "HOST");
        host.Required = true;
        var name = Arguments.PackageNameOption("--name", "The package's name on that host; default: the folder's, or the archive's without .ark.");
        var onHost = new Option<bool>("--on-host") { Description = "PATH is one on the host itself; then it must be absolute." };
        return cli.Bind(
            new Command("import", "Brings a package into a host's store and waits until it is there.") { path, host, name, onHost },
            async context =>
            {
                var isOnHost = context.Parsed.GetValue(onHost);
                var source = Source(context.Parsed.GetRequiredValue(path), isOnHost);
                var packageName = context.Parsed.GetValue(name) ?? NameOf(source);
                if (!FabricNames.IsPackageName(packageName))
                {
                    throw FabricException.Invalid(
                        $"The folder's name '{packageName}' is not a name for a package; give one with --name (lower-case letters, digits and hyphens).");
                }

                var client = await context.ConnectAsync().ConfigureAwait(false);
                var hostName = context.Parsed.GetRequiredValue(host)!;
                var package = await new ByteProgressDisplay(context, $"importing {packageName} on {hostName}").RunAsync(display =>
                {
                    var progress = Relay<PackageImport>.To(display, import => new ByteProgress(import.BytesDone, import.BytesTotal));
                    return isOnHost
                        ? client.ImportPackageAsync(hostName, source, packageName, progress, context.Token)
                        : client.UploadPackageAsync(hostName, source, packageName, progress, context.Token);
                }).ConfigureAwait(false);
                return context.Print(ImportDetails, package);
            });
    }

    private static Command List(CommandRunner cli)
    {
        var host = Arguments.NameOption("--host", "host", "Only the packages of this host.", "HOST");
        return cli.Bind(
            new Command("list", "Lists the packages in the hosts' stores.") { host },
            async context =>
            {
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var packages = context.Parsed.GetValue(host) is { } only
                    ? await client.ListPackagesAsync(only, context.Token).ConfigureAwait(false)
                    : await OnAllHostsAsync(context, client, name => client.ListPackagesAsync(name, context.Token)).ConfigureAwait(false);
                return context.Print(Listing(context.Now), packages);
            });
    }

    private static Command Show(CommandRunner cli)
    {
        var name = Arguments.Package();
        var host = Arguments.NameOption("--host", "host", "The host to look on; default: all.", "HOST");
        return cli.Bind(
            new Command("show", "Shows a package and which hosts have it.") { name, host },
            async context =>
            {
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var wanted = context.Parsed.GetRequiredValue(name);
                var only = context.Parsed.GetValue(host);
                var copies = only is not null
                    ? await FindAsync(only).ConfigureAwait(false)
                    : await OnAllHostsAsync(context, client, FindAsync).ConfigureAwait(false);
                if (copies.Count == 0)
                    throw FabricException.NotFound($"There is no package named '{wanted}' on {(only is null ? "any host that answers" : $"host '{only}'")}.");
                if (copies.DistinctBy(copy => copy.Digest).Count() > 1)
                {
                    throw FabricException.Conflict(
                        $"Package '{wanted}' is not the same on every host ({string.Join(", ", copies.Select(copy => $"{copy.Host}: {Short(copy.Digest)}"))}); choose one with --host.");
                }

                return context.Print(ShowDetails, PackageDetail.From(copies));

                async Task<IReadOnlyList<PackageInfo>> FindAsync(string hostName) =>
                    await client.FindPackageAsync(hostName, wanted, context.Token).ConfigureAwait(false) is { } found ? [found] : [];
            });
    }

    /// <summary>Asks all hosts at once; says on standard error which ones could not be asked.</summary>
    internal static async Task<IReadOnlyList<PackageInfo>> OnAllHostsAsync(
        CommandContext context, FabricClient client, Func<string, Task<IReadOnlyList<PackageInfo>>> ask)
    {
        var hosts = await client.ListHostsAsync(context.Token).ConfigureAwait(false);
        var answers = await Task.WhenAll(hosts.Select(AskAsync)).ConfigureAwait(false);
        foreach (var (silent, _) in answers.Where(answer => answer.Packages is null))
            await context.Host.Error.WriteLineAsync($"fabric: Host '{silent}' does not answer; its packages are left out.").ConfigureAwait(false);
        return
        [
            .. answers.SelectMany(answer => answer.Packages ?? [])
                .OrderBy(package => package.Name, StringComparer.Ordinal).ThenBy(package => package.Host, StringComparer.Ordinal),
        ];

        async Task<(string Name, IReadOnlyList<PackageInfo>? Packages)> AskAsync(HostInfo host)
        {
            try
            {
                return (host.Name, host.State == HostState.Ready ? await ask(host.Name).ConfigureAwait(false) : null);
            }
            catch (FabricException error) when (error.IsTransient)
            {
                return (host.Name, null);
            }
        }
    }

    private static string Source(string path, bool isOnHost)
    {
        if (isOnHost)
            return path.StartsWith('/') ? path : throw FabricException.Invalid($"'{path}' is not an absolute path; --on-host needs one, because this machine's folders are not the host's.");
        var full = Path.GetFullPath(path);
        return Path.Exists(full) ? full : throw FabricException.NotFound($"There is no folder or archive {full} on this machine; --on-host takes it from the host itself.");
    }

    private static string NameOf(string path)
    {
        const string archive = ".ark";
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(path));
        return name.EndsWith(archive, StringComparison.Ordinal) ? name[..^archive.Length] : name;
    }

    private static string Short(string digest) => digest.Length > 19 ? digest[..19] : digest;

    private static Listing<PackageInfo> Listing(DateTimeOffset now) => new Listing<PackageInfo>(package => package.Name)
        .Add("NAME", package => package.Name)
        .Add("HOST", package => package.Host)
        .Add("KIND", package => package.Kind)
        .Add("ARCH", package => package.Architecture)
        .Add("MACHINE", package => package.MachineType)
        .AddNumber("VCPUS", package => $"{package.Vcpus}")
        .AddNumber("MEMORY", package => ByteSize.Format(package.MemoryBytes))
        .AddNumber("SIZE", package => ByteSize.Format(package.SizeBytes))
        .Add("DIGEST", package => Short(package.Digest))
        .Add("AGE", package => Duration.FormatAge(now - package.ImportedAt));

    internal static Details<PackageInfo> ImportDetails { get; } = new Details<PackageInfo>(package => package.Name)
        .Add("Package", package => package.Name)
        .Add("Host", package => package.Host)
        .Add("Kind", package => package.Kind)
        .Add("Size", package => ByteSize.Format(package.SizeBytes))
        .Add("Digest", package => package.Digest);

    private static Details<PackageDetail> ShowDetails { get; } = new Details<PackageDetail>(package => package.Name)
        .Add("Name", package => package.Name)
        .Add("Digest", package => package.Digest)
        .Add("Kind", package => package.Kind)
        .Add("Architecture", package => package.Architecture)
        .Add("Machine", package => package.MachineType)
        .Add("vCPUs", package => $"{package.Vcpus}")
        .Add("Memory", package => ByteSize.Format(package.MemoryBytes))
        .Add("Size", package => ByteSize.Format(package.SizeBytes))
        .Add("Hosts", package => string.Join(", ", package.Hosts))
        .Add("Entries", package => string.Join(", ", package.Entries.Select(entry => $"{entry.Name} ({ByteSize.Format(entry.SizeBytes)})")));
}
