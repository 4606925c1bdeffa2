using System.Text.RegularExpressions;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Blueprints.Kernels;

/// <summary>Downloads a kernel's packages; nothing is installed.</summary>
internal static partial class AptPackages
{
    private static readonly TimeSpan _timeout = TimeSpan.FromMinutes(10);

    /// <param name="names">Packages, or ones that depend on the kernel of the day, of which the first that apt knows is taken.</param>
    /// <param name="folder">Where the files are put.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The files.</returns>
    internal static async Task<IReadOnlyList<string>> DownloadAsync(IReadOnlyList<string> names, string folder, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var name = await ChooseAsync(names, cancellationToken).ConfigureAwait(false);
        var dependencies = await DependenciesAsync(name, cancellationToken).ConfigureAwait(false);
        var image = dependencies.FirstOrDefault(dependency => ImagePattern().IsMatch(dependency));
        if (image is not null)
            dependencies = await DependenciesAsync(image, cancellationToken).ConfigureAwait(false);
        // Ubuntu has them in a package of their own.
        var modules = dependencies.FirstOrDefault(dependency => ModulesPattern().IsMatch(dependency));
        // As root, apt would become a user that may not write here.
        List<string> arguments = ["-q", "-q", "-o", "APT::Sandbox::User=root", "download", image ?? name];
        if (modules is not null)
            arguments.Add(modules);
        await Command.RunCheckedAsync(
            "apt-get", arguments, new CommandOptions { WorkingDirectory = folder, DebianPackage = "apt", Timeout = _timeout }, cancellationToken).ConfigureAwait(false);
        return Directory.GetFiles(folder, "*.deb");
    }

    private static async Task<string> ChooseAsync(IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        foreach (var name in names)
        {
            // Nothing is printed for a name that it does not know, and "(none)" for one that others only refer to.
            var result = await Command.RunAsync("apt-cache", ["policy", name], new CommandOptions { DebianPackage = "apt" }, cancellationToken).ConfigureAwait(false);
            if (result.StandardOutput.Split('\n').Any(line => line.Trim() is var words && words.StartsWith("Candidate: ", StringComparison.Ordinal) && words != "Candidate: (none)"))
                return name;
        }

        throw new BlueprintException(
            BlueprintErrorCode.NotFound, $"apt knows no package {string.Join(" and none ", names)}: bring its index up to date with 'apt-get update', or name another kernel.");
    }

    private static async Task<IReadOnlyList<string>> DependenciesAsync(string name, CancellationToken cancellationToken)
    {
        var result = await Command.RunCheckedAsync(
            "apt-cache", ["depends", "--important", name], new CommandOptions { DebianPackage = "apt" }, cancellationToken).ConfigureAwait(false);
        return [.. result.StandardOutput.Split('\n').Select(line => line.Trim())
            .Where(line => line.StartsWith("Depends: ", StringComparison.Ordinal)).Select(line => line["Depends: ".Length..])];
    }

    [GeneratedRegex(@"\Alinux-image-[0-9]")]
    private static partial Regex ImagePattern();

    [GeneratedRegex(@"\Alinux-modules-[0-9]")]
    private static partial Regex ModulesPattern();
}
