namespace Architekt.Fabric.Packages;

/// <summary>Tells folders from archives.</summary>
internal static class PackageSources
{
    /// <exception cref="PackageException">There is nothing, or it is not a package.</exception>
    internal static IPackageSource Open(string path)
    {
        var full = Path.GetFullPath(path);
        if (Directory.Exists(full))
            return FolderSource.Open(full);
        return File.Exists(full)
            ? ArkSource.Open(full)
            : throw new PackageException(PackageErrorCode.NotFound, $"There is no package at {full}: neither a folder nor an archive is there.");
    }
}
