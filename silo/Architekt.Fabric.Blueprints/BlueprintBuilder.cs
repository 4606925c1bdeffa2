using Architekt.AgentProtocol;
using Architekt.Fabric.Blueprints.Disks;
using Architekt.Fabric.Blueprints.Images;
using Architekt.Fabric.Blueprints.Initramfs;
using Architekt.Fabric.Blueprints.Kernels;
using Architekt.Fabric.Blueprints.Layers;
using Architekt.Fabric.Blueprints.Startup;
using Architekt.Fabric.Packages;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Blueprints;

/// <summary>Builds blueprints: from an image or a root file system to a kernel, an initramfs and a disk that boot.</summary>
/// <remarks>Needs no privileges. The same source, options, kernel and agents make the same blueprint, bit for bit, with the same version of e2fsprogs.</remarks>
public static class BlueprintBuilder
{
    private const string ImageLabel = "image";
    private const string KernelLabel = "kernel";

    /// <summary>Builds a blueprint's folder. It appears whole or not at all.</summary>
    /// <param name="source">What the disk is made of.</param>
    /// <param name="options">Everything else.</param>
    /// <param name="progress">Told how far it is; may be null.</param>
    /// <param name="cancellationToken">Ends it and the tools it runs; nothing is left behind.</param>
    /// <exception cref="BlueprintException">It cannot be built.</exception>
    /// <exception cref="PackageException">A name, a label or a size is not what a manifest allows.</exception>
    public static async Task<BlueprintResult> BuildAsync(
        BlueprintSource source, BlueprintOptions options, IProgress<BlueprintProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegative(options.DiskSlackBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.StopTimeout, TimeSpan.Zero);
        using var output = OutputFolder.Begin(options.OutputFolder, options.Replace);
        try
        {
            return await BuildAsync(source, options, output, progress, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is CommandFailedException or ToolMissingException or TimeoutException)
        {
            throw new BlueprintException(BlueprintErrorCode.ToolFailed, error.Message, error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new BlueprintException(BlueprintErrorCode.ToolFailed, $"The blueprint {options.Name} cannot be built in {output.Target}: {error.Message}", error);
        }
    }

    private static async Task<BlueprintResult> BuildAsync(
        BlueprintSource source, BlueprintOptions options, OutputFolder output, IProgress<BlueprintProgress>? progress, CancellationToken cancellationToken)
    {
        progress?.Report(new BlueprintProgress(BlueprintPhase.Inspect, 0, 1));
        RequirePrograms(options.AgentsFolder);
        using var image = await ImageReader.OpenAsync(source, output.WorkFolder, cancellationToken).ConfigureAwait(false);
        var tree = await LayerStack.UnpackAsync(image, output.WorkFolder, progress, cancellationToken).ConfigureAwait(false);
        var configuration = StartupPlan.Make(tree, image, options);
        var createdAt = options.CreatedAt ?? image.Created ?? Newest(tree);
        // 0 stands for "now" in e2fsprogs.
        var time = Math.Max(1, createdAt.ToUnixTimeSeconds());

        progress?.Report(new BlueprintProgress(BlueprintPhase.Kernel, 0, 1));
        var kernel = await KernelReader.ReadAsync(options.Kernel, options.Modules, output.WorkFolder, cancellationToken).ConfigureAwait(false);
        File.Copy(kernel.Path, output.FileFor(PackageEntryNames.Kernel));
        InitramfsBuilder.Write(output.FileFor(PackageEntryNames.Initramfs), options.AgentsFolder, configuration, kernel.Modules, time);

        progress?.Report(new BlueprintProgress(BlueprintPhase.Disk, 0, 1));
        await DiskBuilder.BuildAsync(
            tree, output.FileFor(PackageEntryNames.Disk), image.Digest, options.DiskSlackBytes, time, output.WorkFolder, cancellationToken).ConfigureAwait(false);

        progress?.Report(new BlueprintProgress(BlueprintPhase.Manifest, 0, 1));
        var labels = new Dictionary<string, string> { [ImageLabel] = image.Digest, [KernelLabel] = kernel.Version };
        foreach (var (name, value) in options.Labels)
            labels[name] = value;
        var manifest = new PackageManifest
        {
            FormatVersion = PackageManifest.CurrentFormatVersion,
            Name = options.Name,
            Kind = PackageKind.Blueprint,
            Architecture = "x86_64",
            MachineType = options.MachineType,
            Vcpus = options.Vcpus,
            MemoryBytes = options.MemoryBytes,
            KernelCommandLine = options.KernelCommandLine,
            AgentPorts = new AgentPorts { Liveness = AgentLimits.LivenessPortName, Agent = AgentLimits.AgentPortName },
            Entries = [.. await output.DescribeAsync(cancellationToken).ConfigureAwait(false)],
            CreatedAt = DateTimeOffset.FromUnixTimeSeconds(time),
            Labels = labels,
        };
        var bytes = manifest.ToUtf8();
        await File.WriteAllBytesAsync(output.FileFor(PackageManifest.FileName), bytes, cancellationToken).ConfigureAwait(false);
        output.Finish();
        progress?.Report(new BlueprintProgress(BlueprintPhase.Manifest, 1, 1));
        return new BlueprintResult(output.Target, PackageManifest.DigestOf(bytes), manifest);
    }

    private static void RequirePrograms(string folder)
    {
        if (InitramfsBuilder.Programs.FirstOrDefault(program => !File.Exists(Path.Combine(folder, program))) is { } missing)
        {
            throw new BlueprintException(
                BlueprintErrorCode.NotFound, $"The folder of the guest's programs, {folder}, lacks {missing}; publish the projects in guest-agents into it (compose/guest/programs.sh), or name another folder.");
        }
    }

    private static DateTimeOffset Newest(FileTree tree) =>
        DateTimeOffset.FromUnixTimeSeconds(tree.Nodes().Select(node => node.Inode.ModifiedAt).DefaultIfEmpty().Max());
}
