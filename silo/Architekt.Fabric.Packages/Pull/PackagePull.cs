using Architekt.Fabric.Packages.Interop;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Packages;

/// <summary>
/// A package on its way into a store, in any order and over any number of attempts. What has arrived outlives the process; nobody sees the package before
/// <see cref="CommitAsync"/> has compared all of it with its manifest. Members may be called by several threads.
/// </summary>
public sealed class PackagePull : IDisposable
{
    private readonly PackageStore _store;
    private readonly string _folder;
    private readonly FileLock _alive;
    private readonly PullJournal _journal;
    private readonly Dictionary<string, Part> _parts = [];
    private readonly Lock _lock = new();

    private PackagePull(PackageStore store, string folder, FileLock alive, string digest, PackageManifest manifest)
    {
        (_store, _folder, _alive, Digest, Manifest) = (store, folder, alive, digest, manifest);
        for (var index = 0; index < manifest.Entries.Count; index++)
        {
            var entry = manifest.Entries[index];
            var path = Path.Combine(folder, entry.Name);
            // An attempt that ended just before the end has sealed it.
            if (File.Exists(path))
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            var file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite);
            _parts[entry.Name] = new Part(index, file, new RangeSet(entry.Size));
            EntryFile.SetLength(file, entry, digest);
        }

        _journal = PullJournal.Open(folder, manifest.Entries, (index, range) => _parts[manifest.Entries[index].Name].Done.Add(range));
    }

    /// <summary>The digest of the package.</summary>
    public string Digest { get; }

    /// <summary>The manifest, of which the digest was made.</summary>
    public PackageManifest Manifest { get; }

    /// <summary>Bytes of all entries, holes included.</summary>
    public long BytesTotal => Manifest.Entries.Sum(entry => entry.Size);

    /// <summary>Bytes of all entries that are there, holes included.</summary>
    public long BytesDone
    {
        get
        {
            lock (_lock)
                return _parts.Values.Sum(part => part.Done.Length);
        }
    }

    /// <summary>What of an entry is still missing, in order.</summary>
    /// <param name="entryName">One of the manifest's entries.</param>
    public IReadOnlyList<PackageRange> Missing(string entryName)
    {
        lock (_lock)
            return _parts[entryName].Done.Missing();
    }

    /// <summary>Writes a piece of what is missing. Zeros stay holes.</summary>
    /// <param name="entryName">The entry.</param>
    /// <param name="offset">Where, in bytes.</param>
    /// <param name="data">What.</param>
    /// <exception cref="PackageException"><see cref="PackageErrorCode.NoSpace"/>.</exception>
    public void Write(string entryName, long offset, ReadOnlySpan<byte> data)
    {
        try
        {
            SparseWriter.Write(_parts[entryName].File, data, offset);
        }
        catch (IOException error) when (LibC.IsNoSpace(error))
        {
            throw Full(error);
        }
    }

    /// <summary>Says that all of a range has been written, or is zeros, and makes that last.</summary>
    /// <param name="entryName">The entry.</param>
    /// <param name="range">The range.</param>
    /// <exception cref="PackageException"><see cref="PackageErrorCode.NoSpace"/>.</exception>
    public void Complete(string entryName, PackageRange range)
    {
        var part = _parts[entryName];
        try
        {
            RandomAccess.FlushToDisk(part.File);
            lock (_lock)
            {
                _journal.Append(part.Index, range);
                part.Done.Add(range);
            }
        }
        catch (IOException error) when (LibC.IsNoSpace(error))
        {
            throw Full(error);
        }
    }

    /// <summary>
    /// Compares all that has arrived with the manifest and makes it a package of the store. If anything differs all of it is removed, since nobody knows which part
    /// is wrong.
    /// </summary>
    /// <param name="names">Names it gets as far as they are free.</param>
    /// <param name="progress">Told about every MiB that is compared.</param>
    /// <param name="cancellationToken">Stops it; what has arrived stays.</param>
    /// <exception cref="PackageException"><see cref="PackageErrorCode.DigestMismatch"/>, or <see cref="PackageErrorCode.Invalid"/> while something is missing.</exception>
    public async Task<StoredPackage> CommitAsync(IReadOnlyList<string> names, IProgress<PackageProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(names);
        if (BytesDone != BytesTotal)
            throw new PackageException(PackageErrorCode.Invalid, $"The package {Digest} is not complete: {BytesTotal - BytesDone} of {BytesTotal} bytes are missing. Pull the rest.");
        try
        {
            using var source = FolderSource.Open(_folder);
            await Task.Run(() => new PackageImport(source, progress).VerifyAsync(cancellationToken), cancellationToken);
        }
        catch (PackageException error) when (error.Code == PackageErrorCode.DigestMismatch)
        {
            StoreLayout.RemoveFolder(_folder);
            throw new PackageException(
                PackageErrorCode.DigestMismatch,
                $"What was pulled is not the package {Digest}, and has been removed. {error.Message}",
                error);
        }

        foreach (var (name, part) in _parts)
            EntryFile.Seal(part.File, _folder, name);
        return await _store.AdoptAsync(_folder, Digest, names, cancellationToken);
    }

    /// <summary>Throws away all that has arrived: there is reason not to believe it.</summary>
    public void Discard() => StoreLayout.RemoveFolder(_folder);

    /// <summary>Ends this attempt. What has arrived stays for the next one.</summary>
    public void Dispose()
    {
        _journal.Dispose();
        foreach (var part in _parts.Values)
            part.File.Dispose();
        // After a commit, or when everything had to be thrown away, there is nothing to come back to.
        if (!Directory.Exists(_folder))
            File.Delete(_folder + StoreLayout.LockSuffix);
        _alive.Dispose();
    }

    /// <summary>Begins in an empty folder or goes on in one with a part of the package.</summary>
    internal static PackagePull Open(PackageStore store, string folder, FileLock alive, byte[] manifestBytes, string digest, PackageManifest manifest)
    {
        Directory.CreateDirectory(folder, StoreLayout.PrivateFolder);
        var path = Path.Combine(folder, PackageManifest.FileName);
        if (!File.Exists(path) || PackageManifest.DigestOf(File.ReadAllBytes(path)) != digest)
        {
            File.Delete(path);
            using var file = EntryFile.Create(folder, PackageManifest.FileName);
            RandomAccess.Write(file, manifestBytes, 0);
            EntryFile.Seal(file, folder, PackageManifest.FileName);
        }

        return new PackagePull(store, folder, alive, digest, manifest);
    }

    private PackageException Full(IOException error) => new(
        PackageErrorCode.NoSpace, $"The disk of the package store {_store.Root} is full: {error.Message} Free some space and pull again; what has arrived stays.", error);

    private sealed record Part(int Index, SafeFileHandle File, RangeSet Done);
}
