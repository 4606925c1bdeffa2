namespace Architekt.Fabric.Packages;

/// <summary>Finds and reads what is in a store.</summary>
internal sealed class StoreReader(StoreLayout layout)
{
    /// <summary>The digest a reference stands for (<see cref="PackageStore.FindAsync"/>), or null.</summary>
    internal string? Resolve(string reference)
    {
        ArgumentNullException.ThrowIfNull(reference);
        if (ManifestRules.IsStoreName(reference) && layout.DigestOf(reference) is { } named && Directory.Exists(layout.PackageFolder(named)))
            return named;
        var prefixed = reference.StartsWith(PackageDigest.Prefix, StringComparison.Ordinal) || reference.StartsWith("sha256:", StringComparison.Ordinal);
        var hex = prefixed ? reference[PackageDigest.Prefix.Length..] : reference;
        if (!PackageDigest.IsHex(hex) || hex.Length is < PackageDigest.ShortestPrefix or > PackageDigest.HexLength)
        {
            return ManifestRules.IsStoreName(reference)
                ? null
                : throw new PackageException(
                    PackageErrorCode.Invalid,
                    $"'{Shown.Short(reference)}' is neither a package's name nor a digest nor at least {PackageDigest.ShortestPrefix} of its first digits.");
        }

        var found = layout.Digests().Where(digest => digest.StartsWith(PackageDigest.Prefix + hex, StringComparison.Ordinal)).Take(2).ToList();
        return found.Count < 2
            ? found.FirstOrDefault()
            : throw new PackageException(PackageErrorCode.Invalid, $"Several packages begin with {hex}: give more digits.");
    }

    /// <summary>Reads a package and makes sure that its manifest is the one its digest was made of.</summary>
    internal StoredPackage Load(string digest)
    {
        var folder = layout.PackageFolder(digest);
        var bytes = ReadManifest(folder);
        if (PackageManifest.DigestOf(bytes) != digest)
            throw DamagedManifest(folder, digest);
        return new StoredPackage(digest, folder, PackageManifest.Parse(bytes, Path.Combine(folder, PackageManifest.FileName)), NamesOf(digest));
    }

    /// <summary>The names that stand for a package.</summary>
    internal List<string> NamesOf(string digest) => [.. layout.Names().Where(pair => pair.Digest == digest).Select(pair => pair.Name)];

    /// <summary>Makes sure that a name is free or stands for this package already.</summary>
    internal void RefuseTakenName(string name, string digest)
    {
        if (layout.DigestOf(name) is { } other && other != digest && Directory.Exists(layout.PackageFolder(other)))
        {
            throw new PackageException(
                PackageErrorCode.Exists, $"The name '{name}' already stands for {other}, not {digest}. Delete that package first or import under another name.");
        }
    }

    /// <summary>The bytes of the manifest in a folder.</summary>
    internal static byte[] ReadManifest(string folder)
    {
        var file = new FileInfo(Path.Combine(folder, PackageManifest.FileName));
        if (!file.Exists)
            throw new PackageException(PackageErrorCode.NotFound, $"There is no package in {folder}: it has no {PackageManifest.FileName}.");
        return file.Length <= PackageManifest.MaxBytes
            ? File.ReadAllBytes(file.FullName)
            : throw new PackageException(PackageErrorCode.Invalid, $"{file.FullName} has {file.Length} bytes; a manifest has at most {PackageManifest.MaxBytes}.");
    }

    /// <summary>The error for a manifest that is not the one its package is named after.</summary>
    internal static PackageException DamagedManifest(string folder, string digest) =>
        new(PackageErrorCode.DigestMismatch, $"The manifest in {folder} is damaged. Delete the package {digest} and import it again.");

    /// <summary>The error for a reference that stands for nothing.</summary>
    internal static PackageException NotFound(string reference) =>
        new(PackageErrorCode.NotFound, $"There is no package '{Shown.Short(reference)}' on this host. Import it first.");
}
