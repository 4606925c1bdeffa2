namespace Architekt.Fabric.Packages;

/// <summary>Keeps a package from being removed until it is disposed or its process ends, whichever is first: a shared lock (flock(2)).</summary>
public sealed class PackageLease : IDisposable
{
    private readonly FileLock _lock;

    internal PackageLease(StoredPackage package, FileLock taken) => (Package, _lock) = (package, taken);

    /// <summary>The package.</summary>
    public StoredPackage Package { get; }

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();
}
