using Architekt.Fabric.Packages.Interop;

namespace Architekt.Fabric.Packages;

/// <summary>Where things are in a store, and the few ways they change.</summary>
/// <param name="root">The store's folder, absolute.</param>
internal sealed class StoreLayout(string root)
{
    internal const string IncomingPrefix = ".incoming-";
    internal const string PullingPrefix = ".pulling-";
    internal const string DeletingPrefix = ".deleting-";
    internal const string LockSuffix = ".lock";

    internal const UnixFileMode PrivateFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    // QEMU runs as another user and only reads.
    internal const UnixFileMode SharedFolder =
        PrivateFolder | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    internal const UnixFileMode SealedFolder = SharedFolder & ~UnixFileMode.UserWrite;
    internal const UnixFileMode SealedFile = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    internal string Root => root;

    internal string NamesFolder => Path.Combine(root, "names");

    /// <summary>Where a package that is being pulled grows.</summary>
    internal string PullFolder(string digest) => Path.Combine(root, PullingPrefix + digest);

    /// <summary>What its users lock: a file beside the package, which is sealed, and empty.</summary>
    internal string LeasePath(string digest) => Path.Combine(root, $".{digest}{LockSuffix}");

    internal string PackageFolder(string digest) => Path.Combine(root, digest);

    internal static StoreLayout Create(string root)
    {
        var layout = new StoreLayout(Path.GetFullPath(root));
        Directory.CreateDirectory(layout.Root, SharedFolder);
        Directory.CreateDirectory(layout.NamesFolder, SharedFolder);
        return layout;
    }

    internal IEnumerable<string> Digests() =>
        Directory.EnumerateDirectories(root, PackageDigest.Prefix + "*").Select(Path.GetFileName).OfType<string>().Where(PackageDigest.IsPackageDigest);

    /// <summary>The digests of the pulls that were begun.</summary>
    internal IEnumerable<string> Pulls() =>
        Directory.EnumerateDirectories(root, PullingPrefix + "*").Select(folder => Path.GetFileName(folder)[PullingPrefix.Length..]).Where(PackageDigest.IsPackageDigest);

    /// <summary>The digest a name stands for, or null.</summary>
    internal string? DigestOf(string name)
    {
        try
        {
            var digest = File.ReadAllText(Path.Combine(NamesFolder, name)).Trim();
            return PackageDigest.IsPackageDigest(digest) ? digest : null;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    internal IEnumerable<(string Name, string Digest)> Names() =>
        from path in Directory.EnumerateFiles(NamesFolder)
        let name = Path.GetFileName(path)
        where ManifestRules.IsStoreName(name)
        let digest = DigestOf(name)
        where digest is not null
        orderby name
        select (name, digest);

    /// <summary>Makes a name stand for a package; after a power cut it does either as before or as asked.</summary>
    internal void WriteName(string name, string digest)
    {
        var temporary = Path.Combine(NamesFolder, $"{IncomingPrefix}{Guid.NewGuid():N}");
        using (var file = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write))
        {
            RandomAccess.Write(file, System.Text.Encoding.ASCII.GetBytes(digest + "\n"), 0);
            RandomAccess.FlushToDisk(file);
        }

        File.SetUnixFileMode(temporary, SealedFile);
        File.Move(temporary, Path.Combine(NamesFolder, name), overwrite: true);
        LibC.SyncFolder(NamesFolder);
    }

    internal void RemoveName(string name)
    {
        File.Delete(Path.Combine(NamesFolder, name));
        LibC.SyncFolder(NamesFolder);
    }

    /// <summary>What the files in a folder take, without their holes.</summary>
    internal static long StoredBytes(string folder)
    {
        var bytes = 0L;
        foreach (var path in Directory.EnumerateFiles(folder))
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            bytes += SparseReader.DataLength(file, RandomAccess.GetLength(file));
        }

        return bytes;
    }

    /// <summary>Removes a folder of this store, sealed or not.</summary>
    internal static void RemoveFolder(string folder)
    {
        if (!Directory.Exists(folder))
            return;
        File.SetUnixFileMode(folder, PrivateFolder);
        Directory.Delete(folder, recursive: true);
    }
}
