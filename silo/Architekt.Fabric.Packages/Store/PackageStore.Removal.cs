using Architekt.Fabric.Packages.Interop;

namespace Architekt.Fabric.Packages;

/// <content>What takes packages out of a store again, and what keeps them in.</content>
public sealed partial class PackageStore
{
    /// <summary>
    /// Finds a package and keeps it in the store until the lease is given back or this process ends. Whatever uses a package's files takes one until
    /// something that lasts, and that <see cref="PackageUsers"/> will tell of, says that they are used.
    /// </summary>
    /// <param name="reference">As for <see cref="FindAsync"/>.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>Null when there is no such package.</returns>
    /// <exception cref="PackageException"><see cref="PackageErrorCode.Invalid"/> or <see cref="PackageErrorCode.DigestMismatch"/>.</exception>
    public async Task<PackageLease?> TryUseAsync(string reference, CancellationToken cancellationToken)
    {
        using var taken = await LockAsync(cancellationToken);
        if (_reader.Resolve(reference) is not { } digest)
            return null;
        var package = _reader.Load(digest);
        return new PackageLease(package, FileLock.Share(_layout.LeasePath(digest)));
    }

    /// <summary>
    /// Removes a name, and its package with the last name; or, by digest, a package with all its names. Nothing is removed when the package would have
    /// to go and is used.
    /// </summary>
    /// <param name="reference">As for <see cref="FindAsync"/>.</param>
    /// <param name="users">Who uses packages besides the holders of leases; null for nobody.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="PackageException">
    /// <see cref="PackageErrorCode.NotFound"/>, <see cref="PackageErrorCode.Invalid"/> or <see cref="PackageErrorCode.InUse"/>.
    /// </exception>
    public async Task DeleteAsync(string reference, PackageUsers? users, CancellationToken cancellationToken)
    {
        string doomed;
        using (await LockAsync(cancellationToken))
        {
            var digest = _reader.Resolve(reference) ?? throw StoreReader.NotFound(reference);
            var names = _reader.NamesOf(digest);
            var removed = names.Contains(reference) ? [reference] : names;
            if (removed.Count < names.Count)
            {
                _layout.RemoveName(reference);
                return;
            }

            var used = await UsedAsync(users, cancellationToken);
            doomed = TryDetach(digest, used, removed) ?? throw new PackageException(
                PackageErrorCode.InUse,
                $"The package {digest} is used: by a VM of this host, running or stopped, or by someone who reads it now. Delete the VM or wait, then try again.");
        }

        StoreLayout.RemoveFolder(doomed);
    }

    /// <summary>Removes what has neither a name nor a user, and pulls that nobody goes on with.</summary>
    /// <param name="users">Who uses packages besides the holders of leases; null for nobody.</param>
    /// <param name="partialsBefore">Pulls that were last written to before this moment count as given up.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<StoreCleaning> GarbageCollectAsync(PackageUsers? users, DateTimeOffset partialsBefore, CancellationToken cancellationToken)
    {
        var (packages, partials, doomed) = (new List<string>(), new List<string>(), new List<string>());
        using (await LockAsync(cancellationToken))
        {
            RemoveLeftovers();
            var used = await UsedAsync(users, cancellationToken);
            var named = _layout.Names().Select(pair => pair.Digest).ToHashSet();
            foreach (var digest in _layout.Digests().Where(digest => !named.Contains(digest)).ToList())
            {
                if (TryDetach(digest, used, []) is not { } folder)
                    continue;
                packages.Add(digest);
                doomed.Add(folder);
            }

            foreach (var digest in _layout.Pulls().ToList())
            {
                if (TryDetachPull(digest, partialsBefore) is not { } folder)
                    continue;
                partials.Add(digest);
                doomed.Add(folder);
            }
        }

        var bytes = 0L;
        foreach (var folder in doomed)
        {
            bytes += StoreLayout.StoredBytes(folder);
            StoreLayout.RemoveFolder(folder);
        }

        return new StoreCleaning(packages, partials, bytes);
    }

    private static async Task<IReadOnlySet<string>> UsedAsync(PackageUsers? users, CancellationToken cancellationToken) =>
        users is null ? new HashSet<string>() : await users(cancellationToken);

    /// <summary>Makes a package invisible, under the store's lock.</summary>
    /// <returns>Where its files wait for their end; null when it is used.</returns>
    private string? TryDetach(string digest, IReadOnlySet<string> used, IReadOnlyList<string> names)
    {
        if (used.Contains(digest))
            return null;
        var leasePath = _layout.LeasePath(digest);
        using var unused = FileLock.TryTake(leasePath);
        if (unused is null)
            return null;
        foreach (var name in names)
            _layout.RemoveName(name);
        var doomed = Detach(_layout.PackageFolder(digest));
        // Nobody can wait for it: a lease is taken under the store's lock.
        File.Delete(leasePath);
        StoreLog.Deleted(_logger, digest);
        return doomed;
    }

    private string? TryDetachPull(string digest, DateTimeOffset before)
    {
        var folder = _layout.PullFolder(digest);
        using var abandoned = FileLock.TryTake(folder + StoreLayout.LockSuffix);
        if (abandoned is null || File.GetLastWriteTimeUtc(Path.Combine(folder, PullJournal.FileName)) >= before.UtcDateTime)
            return null;
        var doomed = Detach(folder);
        File.Delete(folder + StoreLayout.LockSuffix);
        StoreLog.LeftoverRemoved(_logger, folder);
        return doomed;
    }

    private string Detach(string folder)
    {
        var doomed = Path.Combine(Root, $"{StoreLayout.DeletingPrefix}{Guid.NewGuid():N}");
        Directory.Move(folder, doomed);
        LibC.SyncFolder(Root);
        return doomed;
    }
}
