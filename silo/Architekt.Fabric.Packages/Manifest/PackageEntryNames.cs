namespace Architekt.Fabric.Packages;

/// <summary>The names of a package's entries, which are also their file names in a store.</summary>
public static class PackageEntryNames
{
    /// <summary>The Linux kernel, as QEMU's <c>-kernel</c> takes it.</summary>
    public const string Kernel = "kernel";

    /// <summary>The initial RAM file system.</summary>
    public const string Initramfs = "initramfs";

    /// <summary>The raw disk; never written to, a VM's own qcow2 lies on it.</summary>
    public const string Disk = "disk";

    /// <summary>The guest's RAM; only in a package.</summary>
    public const string Memory = "memory";

    /// <summary>QEMU's device state; only in a package.</summary>
    public const string State = "state";

    internal static IReadOnlyList<string> Of(PackageKind kind) =>
        kind == PackageKind.Package ? [Kernel, Initramfs, Disk, Memory, State] : [Kernel, Initramfs, Disk];
}
