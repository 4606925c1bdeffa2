using System.CommandLine;
using Architekt.Fabric.Blueprints;
using Architekt.Fabric.Cli.Output;
using Architekt.Fabric.Cli.Parsing;

namespace Architekt.Fabric.Cli.Commands;

internal static class BlueprintCommands
{
    public static Command Create(CommandRunner cli) => new("blueprint", "What boots: a kernel and the disk of an image.")
    {
        Build(cli),
    };

    private static Command Build(CommandRunner cli)
    {
        var source = new Argument<string>("SOURCE")
        {
            Description = "An OCI image layout (folder or tar), what 'docker save' writes, or a tar of a root file system; also compressed with gzip or zstd.",
        };
        var folder = new Argument<string>("FOLDER") { Description = "The folder to make, on this machine; bring it to a host with 'fabric package import'." };
        var image = new Option<string?>("--image") { Description = "Which image, where SOURCE holds several: a tag, or a digest.", HelpName = "REFERENCE" };
        var isRoot = new Option<bool>("--root-tar") { Description = "SOURCE is a tar of a root file system, whatever it looks like." };
        var options = new BlueprintBuildOptions();
        var command = new Command("build", "Builds a blueprint of an image or a root file system; needs no privileges and no fabric.") { source, folder, image, isRoot };
        options.AddTo(command);
        return cli.Bind(
            command,
            async context =>
            {
                var parsed = context.Parsed;
                var from = new BlueprintSource(parsed.GetRequiredValue(source))
                {
                    Kind = parsed.GetValue(isRoot) ? BlueprintSourceKind.RootTar : BlueprintSourceKind.Detect,
                    Reference = parsed.GetValue(image),
                };
                var to = Path.TrimEndingDirectorySeparator(Path.GetFullPath(parsed.GetRequiredValue(folder)));
                var wanted = options.Read(parsed, to, context.Host.Environment);
                var result = await new BlueprintDisplay(context).RunAsync(
                    progress => BlueprintErrors.TranslateAsync(() => BlueprintBuilder.BuildAsync(from, wanted, progress, context.Token))).ConfigureAwait(false);
                return context.Print(BuildDetails, BlueprintDetail.From(result));
            });
    }

    private static Details<BlueprintDetail> BuildDetails { get; } = new Details<BlueprintDetail>(blueprint => blueprint.Path)
        .Add("Blueprint", blueprint => blueprint.Name)
        .Add("Folder", blueprint => blueprint.Path)
        .Add("vCPUs", blueprint => $"{blueprint.Vcpus}")
        .Add("Memory", blueprint => ByteSize.Format(blueprint.MemoryBytes))
        .Add("Size", blueprint => ByteSize.Format(blueprint.SizeBytes))
        .Add("Labels", blueprint => string.Join(", ", blueprint.Labels.Select(label => $"{label.Key}={label.Value}")))
        .Add("Digest", blueprint => blueprint.Digest);
}
