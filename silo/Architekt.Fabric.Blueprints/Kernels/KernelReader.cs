using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Blueprints.Kernels;

/// <summary>Gets a kernel and its modules from where they are.</summary>
internal static class KernelReader
{
    private static readonly CommandOptions _dpkg = new() { DebianPackage = "dpkg" };

    /// <param name="source">Where they are.</param>
    /// <param name="furtherModules">Modules besides those that every guest needs.</param>
    /// <param name="workFolder">For what is downloaded and unpacked.</param>
    /// <param name="cancellationToken">Ends it and the tools it runs.</param>
    /// <exception cref="BlueprintException">There is no kernel, or it lacks a module.</exception>
    internal static async Task<Kernel> ReadAsync(
        KernelSource source, IReadOnlyList<string> furtherModules, string workFolder, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(workFolder, "kernel");
        Directory.CreateDirectory(folder);
        if (source.KernelFile is { } file)
        {
            var version = KernelImage.ReadVersion(file);
            if (source.ModulesFolder is null)
                return new Kernel(file, version, []);
            if (!Directory.Exists(source.ModulesFolder))
                throw new BlueprintException(BlueprintErrorCode.NotFound, $"There is no folder {source.ModulesFolder} with the kernel's modules.");
            Directory.CreateDirectory(Path.Combine(folder, "lib/modules"));
            Directory.CreateSymbolicLink(Path.Combine(folder, "lib/modules", version), Path.GetFullPath(source.ModulesFolder));
            return new Kernel(file, version, await ModuleResolver.ResolveAsync(folder, version, furtherModules, cancellationToken).ConfigureAwait(false));
        }

        var packages = source.AptPackages is { Count: > 0 } names
            ? await AptPackages.DownloadAsync(names, Path.Combine(workFolder, "debs"), cancellationToken).ConfigureAwait(false)
            : source.PackageFiles;
        foreach (var package in packages)
        {
            if (!File.Exists(package))
                throw new BlueprintException(BlueprintErrorCode.NotFound, $"There is no Debian package {package}.");
            await Command.RunCheckedAsync("dpkg-deb", ["-x", Path.GetFullPath(package), folder], _dpkg, cancellationToken).ConfigureAwait(false);
        }

        var boot = Path.Combine(folder, "boot");
        var kernels = Directory.Exists(boot) ? Directory.GetFiles(boot, "vmlinuz-*") : [];
        if (kernels.Length != 1)
        {
            throw new BlueprintException(
                BlueprintErrorCode.Invalid, $"{string.Join(" and ", packages.Select(Path.GetFileName))} hold {kernels.Length} kernels (boot/vmlinuz-*); one is needed.");
        }

        // Debian has its libraries in /usr, also where a package still says /lib.
        if (!Directory.Exists(Path.Combine(folder, "lib")))
            Directory.CreateSymbolicLink(Path.Combine(folder, "lib"), "usr/lib");
        var packaged = KernelImage.ReadVersion(kernels[0]);
        return new Kernel(kernels[0], packaged, await ModuleResolver.ResolveAsync(folder, packaged, furtherModules, cancellationToken).ConfigureAwait(false));
    }
}
