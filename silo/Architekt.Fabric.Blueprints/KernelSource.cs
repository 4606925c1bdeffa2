namespace Architekt.Fabric.Blueprints;

/// <summary>Where a blueprint's kernel and its modules are from.</summary>
public sealed record KernelSource
{
    private KernelSource()
    {
    }

    internal string? AptPackage { get; private init; }

    internal IReadOnlyList<string> PackageFiles { get; private init; } = [];

    internal string? KernelFile { get; private init; }

    internal string? ModulesFolder { get; private init; }

    /// <summary>A package that apt knows, downloaded but not installed: <c>linux-image-cloud-amd64</c>, <c>linux-image-virtual</c>, or one of a certain version.</summary>
    public static KernelSource FromApt(string packageName)
    {
        ArgumentException.ThrowIfNullOrEmpty(packageName);
        return new KernelSource { AptPackage = packageName };
    }

    /// <summary>Debian packages: the one with the kernel and, where they are not in it, those with its modules.</summary>
    public static KernelSource FromDebianPackages(params IReadOnlyList<string> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentOutOfRangeException.ThrowIfZero(files.Count);
        return new KernelSource { PackageFiles = files };
    }

    /// <summary>A bzImage.</summary>
    /// <param name="file">The kernel.</param>
    /// <param name="modulesFolder">Its <c>lib/modules/VERSION</c>; null when everything a guest needs is built in.</param>
    public static KernelSource FromFile(string file, string? modulesFolder = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        return new KernelSource { KernelFile = file, ModulesFolder = modulesFolder };
    }
}
