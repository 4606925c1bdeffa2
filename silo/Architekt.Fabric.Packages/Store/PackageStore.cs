using Architekt.Fabric.Packages.Interop;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Architekt.Fabric.Packages;

/// <summary>
/// A folder of verified packages that never change. Each is in a folder named by its manifest's digest; names are small files that point to digests.
/// Safe for several processes at once; everything is there after a power cut, or nothing of it.
/// </summary>
public sealed partial class PackageStore
{
    private readonly StoreLayout _layout;
    private readonly StoreReader _reader;
    private readonly ILogger _logger;

    private PackageStore(StoreLayout layout, ILogger logger)
    {
        _layout = layout;
        _reader = new StoreReader(layout);
        _logger = logger;
    }

    /// <summary>The store's folder.</summary>
    public string Root => _layout.Root;

    private string LockPath => Path.Combine(Root, StoreLayout.LockSuffix);

    /// <summary>Opens a store, makes it if it is not there, and removes what interrupted imports left behind.</summary>
    /// <param name="root">Its folder.</param>
    /// <param name="logger">Told what is imported and removed.</param>
    /// <param name="cancellationToken">Ends the wait for another process that changes the store.</param>
    public static async Task<PackageStore> OpenAsync(string root, ILogger<PackageStore>? logger, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(root);
        var store = new PackageStore(StoreLayout.Create(root), logger ?? NullLogger<PackageStore>.Instance);
        using (await store.LockAsync(cancellationToken))
            store.RemoveLeftovers();
        return store;
    }

    /// <summary>Brings a package in. Bringing in one that is there already changes nothing but the name.</summary>
    /// <param name="sourcePath">A folder with <c>manifest.json</c> and the entries, or an <c>.ark</c> archive, which is unpacked straight into the store.</param>
    /// <param name="name">What to call it here; by default what its manifest says.</param>
    /// <param name="progress">Told about every MiB.</param>
    /// <param name="cancellationToken">Stops it; nothing is left.</param>
    /// <exception cref="PackageException">Any code but <see cref="PackageErrorCode.NotFound"/> for a reason besides a missing file.</exception>
    public async Task<StoredPackage> ImportAsync(
        string sourcePath, string? name, IProgress<PackageProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(sourcePath);
        // Off the caller's thread: the headers of an archive are read here, and it may lie on a slow disk.
        using var source = await Task.Run(() => PackageSources.Open(sourcePath), cancellationToken);
        var digest = PackageManifest.DigestOf(source.ManifestBytes);
        name ??= source.Manifest.Name;
        RequireStoreName(name);

        // Also before the work, and not only after it.
        _reader.RefuseTakenName(name, digest);
        try
        {
            if (Directory.Exists(_layout.PackageFolder(digest)))
            {
                using var taken = await LockAsync(cancellationToken);
                return Name(digest, name);
            }

            source.CheckEntries();
            var package = await CopyInAsync(new PackageImport(source, progress), digest, name, cancellationToken);
            StoreLog.Imported(_logger, digest, source.Path);
            return package;
        }
        catch (IOException error) when (LibC.IsNoSpace(error))
        {
            throw new PackageException(PackageErrorCode.NoSpace, $"The disk of the package store {Root} is full: {error.Message} Free some space and import again.", error);
        }
    }

    /// <summary>Begins a package that is made on this host, in the store itself.</summary>
    /// <param name="name">What it will be called here; must not stand for any package yet.</param>
    /// <param name="cancellationToken">Stops it; nothing is left.</param>
    /// <exception cref="PackageException"><see cref="PackageErrorCode.Invalid"/> or <see cref="PackageErrorCode.Exists"/>.</exception>
    public async Task<PackageDraft> BeginAsync(string name, CancellationToken cancellationToken)
    {
        if (!ManifestRules.IsName(name))
            throw new PackageException(PackageErrorCode.Invalid, ManifestRules.NameProblem(name));
        _reader.RefuseTakenName(name, digest: "");
        var (folder, alive) = await ReserveAsync(cancellationToken);
        Directory.CreateDirectory(folder, StoreLayout.PrivateFolder);
        return new PackageDraft(this, folder, alive, name);
    }

    /// <summary>All packages, by digest. One that cannot be read is left out, with a warning in the log.</summary>
    public async Task<IReadOnlyList<StoredPackage>> ListAsync(CancellationToken cancellationToken)
    {
        using var taken = await LockAsync(cancellationToken);
        var packages = new List<StoredPackage>();
        foreach (var digest in _layout.Digests().Order(StringComparer.Ordinal))
        {
            try
            {
                packages.Add(_reader.Load(digest));
            }
            catch (PackageException error)
            {
                StoreLog.Damaged(_logger, digest, error.Message);
            }
        }

        return packages;
    }

    /// <summary>Finds a package.</summary>
    /// <param name="reference">A name, a digest, or at least six of the first hexadecimal digits of one, with or without <c>sha256-</c> or <c>sha256:</c>.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>Null when there is none.</returns>
    /// <exception cref="PackageException"><see cref="PackageErrorCode.Invalid"/>: not a reference, or several packages begin like that.</exception>
    public async Task<StoredPackage?> FindAsync(string reference, CancellationToken cancellationToken)
    {
        using var taken = await LockAsync(cancellationToken);
        return _reader.Resolve(reference) is { } digest ? _reader.Load(digest) : null;
    }

    /// <inheritdoc cref="FindAsync"/>
    /// <returns>The package.</returns>
    /// <exception cref="PackageException"><see cref="PackageErrorCode.NotFound"/> or <see cref="PackageErrorCode.Invalid"/>.</exception>
    public async Task<StoredPackage> GetAsync(string reference, CancellationToken cancellationToken) =>
        await FindAsync(reference, cancellationToken) ?? throw StoreReader.NotFound(reference);

    /// <summary>Reads a package's files again and compares them with the manifest.</summary>
    /// <param name="package">The package.</param>
    /// <param name="progress">Told about every MiB.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="PackageException"><see cref="PackageErrorCode.DigestMismatch"/>, or <see cref="PackageErrorCode.NotFound"/> for a missing file.</exception>
    public static Task VerifyAsync(StoredPackage package, IProgress<PackageProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(package);
        return Task.Run(
            async () =>
            {
                using var source = FolderSource.Of(package);
                await new PackageImport(source, progress).VerifyAsync(cancellationToken);
            },
            cancellationToken);
    }

    private async Task<StoredPackage> CopyInAsync(
        PackageImport import, string digest, string name, CancellationToken cancellationToken)
    {
        var (incoming, alive) = await ReserveAsync(cancellationToken);
        try
        {
            await Task.Run(() => import.CopyToAsync(incoming, cancellationToken), cancellationToken);
            return await MoveInAsync(incoming, digest, name, cancellationToken);
        }
        finally
        {
            StoreLayout.RemoveFolder(incoming);
            File.Delete(incoming + StoreLayout.LockSuffix);
            alive.Dispose();
        }
    }

    /// <summary>A folder in the store for a package to be, and the lock that says that somebody still works on it.</summary>
    private async Task<(string Folder, FileLock Alive)> ReserveAsync(CancellationToken cancellationToken)
    {
        var incoming = Path.Combine(Root, $"{StoreLayout.IncomingPrefix}{Guid.NewGuid():N}");

        // Within the store's lock, so that nobody takes the new lock file for one that was left behind.
        using (await LockAsync(cancellationToken))
            return (incoming, FileLock.TryTake(incoming + StoreLayout.LockSuffix) ?? throw new IOException($"Cannot lock {incoming}{StoreLayout.LockSuffix}."));
    }

    /// <summary>Moves a sealed folder into its place, unless the same package is there already, and names it.</summary>
    internal async Task<StoredPackage> MoveInAsync(string incoming, string digest, string name, CancellationToken cancellationToken)
    {
        using var taken = await LockAsync(cancellationToken);
        _reader.RefuseTakenName(name, digest);
        Reveal(incoming, digest);
        return Name(digest, name);
    }

    /// <summary>Makes a complete package visible, unless it is there already. Under the store's lock.</summary>
    private void Reveal(string complete, string digest)
    {
        var folder = _layout.PackageFolder(digest);
        if (Directory.Exists(folder))
            return;
        Directory.Move(complete, folder);
        File.SetUnixFileMode(folder, StoreLayout.SealedFolder);
        LibC.SyncFolder(Root);
    }

    /// <summary>Makes a name stand for a package that is there. Under the store's lock.</summary>
    private StoredPackage Name(string digest, string name)
    {
        _reader.RefuseTakenName(name, digest);
        var package = _reader.Load(digest);
        if (package.Names.Contains(name))
            return package;
        _layout.WriteName(name, digest);
        return package with { Names = _reader.NamesOf(digest) };
    }

    private void RemoveLeftovers()
    {
        foreach (var lockPath in Directory.EnumerateFiles(Root, StoreLayout.IncomingPrefix + "*" + StoreLayout.LockSuffix))
        {
            using var dead = FileLock.TryTake(lockPath);
            if (dead is null)
                continue;
            var folder = lockPath[..^StoreLayout.LockSuffix.Length];
            StoreLayout.RemoveFolder(folder);
            File.Delete(lockPath);
            StoreLog.LeftoverRemoved(_logger, folder);
        }

        foreach (var folder in Directory.EnumerateDirectories(Root, StoreLayout.DeletingPrefix + "*"))
        {
            StoreLayout.RemoveFolder(folder);
            StoreLog.LeftoverRemoved(_logger, folder);
        }

        // Of a pull that was interrupted before its first byte, or after its last.
        foreach (var lockPath in Directory.EnumerateFiles(Root, StoreLayout.PullingPrefix + "*" + StoreLayout.LockSuffix))
        {
            using var dead = Directory.Exists(lockPath[..^StoreLayout.LockSuffix.Length]) ? null : FileLock.TryTake(lockPath);
            if (dead is not null)
                File.Delete(lockPath);
        }

        foreach (var file in Directory.EnumerateFiles(_layout.NamesFolder, StoreLayout.IncomingPrefix + "*"))
            File.Delete(file);
    }

    private static void RequireStoreName(string name)
    {
        if (!ManifestRules.IsStoreName(name))
            throw new PackageException(PackageErrorCode.Invalid, ManifestRules.StoreNameProblem(name));
    }

    private Task<FileLock> LockAsync(CancellationToken cancellationToken) => FileLock.TakeAsync(LockPath, cancellationToken);
}
