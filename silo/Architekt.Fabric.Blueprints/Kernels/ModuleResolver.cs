using Architekt.Fabric.Blueprints.Images;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Blueprints.Kernels;

/// <summary>Finds the modules a guest needs, each after those it depends on.</summary>
internal static class ModuleResolver
{
    // Without these there is no disk and so no guest.
    private static readonly string[] _required = ["virtio_pci", "virtio_blk", "ext4"];

    // The network card, the agents' ports, the entropy source, the microvm machine's bus, the power button; a kernel may do without.
    private static readonly string[] _wanted = ["virtio_net", "virtio_console", "virtio_rng", "virtio_mmio", "button", "evdev"];

    private static readonly CommandOptions _kmod = new() { DebianPackage = "kmod" };

    /// <param name="root">The folder that holds lib/modules/VERSION.</param>
    /// <param name="version">The kernel's version.</param>
    /// <param name="further">More that are required.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="BlueprintException">One that is required is neither there nor built in.</exception>
    internal static async Task<IReadOnlyList<KernelModule>> ResolveAsync(
        string root, string version, IReadOnlyList<string> further, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(root, "lib/modules", version);
        if (!Directory.Exists(folder))
            throw new BlueprintException(BlueprintErrorCode.NotFound, $"There are no modules for the kernel {version}; add the package that has lib/modules/{version}.");
        if (!File.Exists(Path.Combine(folder, "modules.dep")))
            await Command.RunCheckedAsync("depmod", ["-b", root, version], _kmod, cancellationToken).ConfigureAwait(false);

        var unpacked = Path.Combine(root, "unpacked");
        Directory.CreateDirectory(unpacked);
        var modules = new List<KernelModule>();
        foreach (var name in _required.Concat(_wanted).Concat(further))
        {
            var result = await Command.RunAsync(
                "modprobe", ["-d", root, "-S", version, "--show-depends", name], _kmod, cancellationToken).ConfigureAwait(false);
            if (!result.Succeeded && !_wanted.Contains(name))
            {
                throw new BlueprintException(
                    BlueprintErrorCode.NotFound, $"The kernel {version} has no module {name}, neither built in nor in lib/modules: {result.StandardError.Trim()}");
            }

            // "insmod PATH OPTIONS" for each to load, "builtin NAME" for what needs no loading.
            foreach (var line in result.StandardOutput.Split('\n').Select(line => line.Split(' ')).Where(line => line is ["insmod", _, ..]))
            {
                var path = line[1];
                if (modules.TrueForAll(known => known.FileName != PlainName(path)))
                    modules.Add(await UnpackAsync(path, unpacked, cancellationToken).ConfigureAwait(false));
            }
        }

        return modules;
    }

    private static string PlainName(string path)
    {
        var name = Path.GetFileName(path);
        return name[..(name.IndexOf(".ko", StringComparison.Ordinal) + ".ko".Length)];
    }

    // The kernel may be one that cannot unpack modules itself (CONFIG_MODULE_DECOMPRESS), and the initramfs is compressed as a whole.
    private static async Task<KernelModule> UnpackAsync(string path, string folder, CancellationToken cancellationToken)
    {
        var name = PlainName(path);
        var target = Path.Combine(folder, name);
        if (path.EndsWith(".xz", StringComparison.Ordinal))
        {
            File.Copy(path, target + ".xz");
            await Command.RunCheckedAsync("xz", ["-d", target + ".xz"], new CommandOptions { DebianPackage = "xz-utils" }, cancellationToken).ConfigureAwait(false);
            return new KernelModule(name, target);
        }

        if (path.EndsWith(".ko", StringComparison.Ordinal))
            return new KernelModule(name, path);
        await using var content = Compression.Open(() => File.OpenRead(path));
        await using var file = File.Create(target);
        await content.CopyToAsync(file, cancellationToken).ConfigureAwait(false);
        return new KernelModule(name, target);
    }
}
