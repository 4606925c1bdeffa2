namespace Architekt.Fabric.Blueprints;

/// <summary>Where a blueprint's kernel and its modules are from.</summary>
public sealed record KernelSource
{
    private KernelSource()
    {
    }

    internal IReadOnlyList<string> AptPackages { get; private init; } = [];

    internal IReadOnlyList<string> PackageFiles { get; private init; } = [];

    internal string? KernelFile { get; private init; }

    internal string? ModulesFolder { get; private init; }

    /// <summary>The small kernel for guests that the distribution has: Debian's or Ubuntu's, whichever apt knows here.</summary>
    public static KernelSource FromDistribution() => FromApt("linux-image-cloud-amd64", "linux-image-virtual");

    /// <summary>
    /// The first of several packages that apt knows, downloaded but not installed: <c>linux-image-cloud-amd64</c>, <c>linux-image-virtual</c>, or one of a certain version.
    /// </summary>
    public static KernelSource FromApt(params IReadOnlyList<string> packageNames)
    {
        ArgumentNullException.ThrowIfNull(packageNames);
        ArgumentOutOfRangeException.ThrowIfZero(packageNames.Count);
        return new KernelSource { AptPackages = packageNames };
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
