namespace Architekt.Fabric.Packages.Tests;

internal sealed class TempFolder : IDisposable
{
    internal string Path { get; } = Directory.CreateTempSubdirectory("architekt-packages-").FullName;

    internal string Store => System.IO.Path.Combine(Path, "store");

    internal Task<PackageStore> OpenStoreAsync() => PackageStore.OpenAsync(Store, null, TestContext.Current.CancellationToken);

    internal string PathOf(string file) => System.IO.Path.Combine(Path, file);

    /// <summary>Everything in the store but its own lock and the folder of names.</summary>
    internal string[] StoreContents() =>
        [.. Directory.EnumerateFileSystemEntries(Store, "*", SearchOption.AllDirectories)
            .Select(entry => System.IO.Path.GetRelativePath(Store, entry))
            .Where(entry => entry is not (".lock" or "names"))];

    /// <summary>What is in the store besides packages and names.</summary>
    internal string[] Leftovers() =>
        [.. Directory.EnumerateFileSystemEntries(Store, "*", SearchOption.AllDirectories)
            .Select(entry => System.IO.Path.GetFileName(entry))
            .Where(name => name.StartsWith(".incoming-", StringComparison.Ordinal) || name.StartsWith(".deleting-", StringComparison.Ordinal))];

    public void Dispose()
    {
        // Sealed folders cannot be emptied by anyone but root.
        foreach (var folder in Directory.EnumerateDirectories(Path, "*", SearchOption.AllDirectories))
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.Delete(Path, recursive: true);
    }
}
