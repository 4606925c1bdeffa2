using System.CommandLine;
using Architekt.Fabric.Cli.Output;
using Architekt.Fabric.Cli.Parsing;
using Architekt.Fabric.Packages;

namespace Architekt.Fabric.Cli.Commands;

/// <summary>Commands about packages that lie on this machine, as archives or folders. They need no fabric.</summary>
internal static class PackageFileCommands
{
    public static Command Inspect(CommandRunner cli)
    {
        var file = FileArgument("FILE");
        return cli.Bind(
            new Command("inspect", "Shows all that an archive or a package's folder says about itself, without unpacking it.") { file },
            async context =>
            {
                var path = context.Parsed.GetRequiredValue(file);
                var info = await PackageErrors.TranslateAsync(() => PackageFile.InspectAsync(path, context.Token)).ConfigureAwait(false);
                return Print(context, info);
            });
    }

    public static Command Verify(CommandRunner cli)
    {
        var file = FileArgument("FILE");
        return cli.Bind(
            new Command("verify", "Reads all of an archive or a package's folder and compares it with its manifest.") { file },
            async context =>
            {
                var path = context.Parsed.GetRequiredValue(file);
                var info = await new ByteProgressDisplay(context, $"verifying {Path.GetFileName(path)}").RunAsync(
                    display => PackageErrors.TranslateAsync(() => PackageFile.VerifyAsync(path, Relay(display), context.Token))).ConfigureAwait(false);
                if (context.IsJson) return Print(context, info);
                if (context.IsQuiet) context.Host.Out.WriteLine(info.Digest);
                else context.Host.Out.WriteLine($"{Printable.Of(path)} is what its manifest says: {info.Digest}");
                return ExitCode.Ok;
            });
    }

    public static Command Diff(CommandRunner cli)
    {
        var first = FileArgument("FIRST");
        var second = FileArgument("SECOND");
        return cli.Bind(
            new Command("diff", "Shows in which fields and how many blocks two packages differ.") { first, second },
            async context =>
            {
                var (one, other) = (context.Parsed.GetRequiredValue(first), context.Parsed.GetRequiredValue(second));
                var diff = await new ByteProgressDisplay(context, "comparing").RunAsync(
                    display => PackageErrors.TranslateAsync(() => PackageDiff.CompareAsync(one, other, Relay(display), context.Token))).ConfigureAwait(false);
                if (context.IsJson) context.Json.WriteObject(PackageDiffDetail.From(diff));
                else WriteDifferences(context, diff);
                return ExitCode.Ok;
            });
    }

    private static Argument<string> FileArgument(string name) =>
        new(name) { Description = "An .ark archive, or a folder with a manifest.json and its entries." };

    internal static Relay<PackageProgress>? Relay(IProgress<ByteProgress>? display) =>
        Output.Relay<PackageProgress>.To(display, progress => new ByteProgress(progress.BytesDone, progress.BytesTotal));

    private static ExitCode Print(CommandContext context, PackageFileInfo info)
    {
        context.Print(InspectDetails, PackageFileDetail.From(info));
        if (!context.IsJson && !context.IsQuiet)
        {
            context.Host.Out.WriteLine();
            EntryListing.Write(context.Host, PackageFileDetail.From(info).Entries);
        }

        return ExitCode.Ok;
    }

    private static void WriteDifferences(CommandContext context, PackageDiff diff)
    {
        var entries = diff.Entries.Where(entry => !entry.IsEqual).ToList();
        if (context.IsQuiet)
        {
            foreach (var name in diff.Fields.Select(field => field.Field).Concat(entries.Select(entry => entry.Name)))
                context.Host.Out.WriteLine(name);
        }
        else if (diff.Fields.Count + entries.Count == 0)
        {
            context.Note("The packages do not differ.");
        }
        else
        {
            if (diff.Fields.Count > 0) FieldListing.Write(context.Host, diff.Fields);
            if (diff.Fields.Count > 0 && entries.Count > 0) context.Host.Out.WriteLine();
            if (entries.Count > 0) DifferenceListing.Write(context.Host, entries);
        }
    }

    private static string? Size(PackageEntry? entry) => entry is null ? null : ByteSize.Format(entry.Size);

    private static Details<PackageFileDetail> InspectDetails { get; } = new Details<PackageFileDetail>(package => package.Digest)
        .Add("Path", package => package.Path)
        .Add("Stored", package => $"{ByteSize.Format(package.StoredBytes)} {(package.IsArchive ? "in an archive" : "without holes")}")
        .Add("Format", package => $"{package.FormatVersion}")
        .Add("Name", package => package.Name)
        .Add("Digest", package => package.Digest)
        .Add("Kind", package => package.Kind)
        .Add("Architecture", package => package.Architecture)
        .Add("Machine", package => package.MachineType)
        .Add("QEMU", package => package.QemuVersion)
        .Add("CPU features", package => package.CpuFeatures.Count == 0 ? null : string.Join(", ", package.CpuFeatures))
        .Add("vCPUs", package => $"{package.Vcpus}")
        .Add("Memory", package => ByteSize.Format(package.MemoryBytes))
        .Add("Command line", package => package.KernelCommandLine)
        .Add("Liveness port", package => package.LivenessPort)
        .Add("Agent port", package => package.AgentPort)
        .Add("Created", package => Times.Format(package.CreatedAt))
        .Add("Labels", package => package.Labels.Count == 0 ? null : string.Join(", ", package.Labels.Select(label => $"{label.Key}={label.Value}")))
        .Add("Size", package => ByteSize.Format(package.SizeBytes));

    private static Listing<PackageFileEntryDetail> EntryListing { get; } = new Listing<PackageFileEntryDetail>(entry => entry.Name)
        .Add("ENTRY", entry => entry.Name)
        .AddNumber("SIZE", entry => ByteSize.Format(entry.SizeBytes))
        .AddNumber("STORED", entry => ByteSize.Format(entry.StoredBytes))
        .Add("SHA256", entry => entry.Sha256);

    private static Listing<FieldDifference> FieldListing { get; } = new Listing<FieldDifference>(field => field.Field)
        .Add("FIELD", field => field.Field)
        .Add("FIRST", field => field.First)
        .Add("SECOND", field => field.Second);

    private static Listing<EntryDifference> DifferenceListing { get; } = new Listing<EntryDifference>(entry => entry.Name)
        .Add("ENTRY", entry => entry.Name)
        .AddNumber("FIRST", entry => Size(entry.First))
        .AddNumber("SECOND", entry => Size(entry.Second))
        .AddNumber("BLOCKS", entry => entry.Blocks is { } blocks ? $"{blocks.Total}" : null)
        .AddNumber("DIFFERING", entry => entry.Blocks is { } blocks ? $"{blocks.Differing}" : null)
        .AddNumber("BYTES", entry => entry.Blocks is { } blocks ? $"{blocks.DifferingBytes}" : null);
}
