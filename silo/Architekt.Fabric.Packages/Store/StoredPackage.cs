namespace Architekt.Fabric.Packages;

/// <summary>A package in a store. Its files are verified, read-only, and never change.</summary>
/// <param name="Digest">Its identity: <c>sha256-</c> and 64 hexadecimal digits.</param>
/// <param name="Folder">Where its files are.</param>
/// <param name="Manifest">What it says about itself.</param>
/// <param name="Names">The names that stand for it in this store, sorted; may be none.</param>
public sealed record StoredPackage(string Digest, string Folder, PackageManifest Manifest, IReadOnlyList<string> Names)
{
    /// <summary>The path of an entry's file.</summary>
    /// <param name="entryName">One of <see cref="PackageEntryNames"/>.</param>
    /// <exception cref="PackageException"><see cref="PackageErrorCode.NotFound"/>: the package has no such entry.</exception>
    public string PathOf(string entryName) => Manifest.Entries.Any(entry => entry.Name == entryName)
        ? Path.Combine(Folder, entryName)
        : throw new PackageException(
            PackageErrorCode.NotFound, $"The package {Digest} has no entry '{entryName}'; it has {string.Join(", ", Manifest.Entries.Select(entry => entry.Name))}.");
}
