using System.Runtime.InteropServices;
using Architekt.Fabric.Packages.Interop;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Packages;

/// <summary>Copies one package into a store's private folder, verifying it on the way.</summary>
/// <param name="sourceFolder">The folder that holds the manifest and the entries.</param>
/// <param name="manifest">The manifest, valid.</param>
/// <param name="manifestBytes">The bytes its digest was made of.</param>
internal sealed class PackageImport(string sourceFolder, PackageManifest manifest, byte[] manifestBytes)
{
    /// <summary>Fails early on what is visible without reading it all.</summary>
    internal void CheckSource()
    {
        foreach (var entry in manifest.Entries)
        {
            using var source = OpenEntry(entry);
        }
    }

    /// <summary>Copies, verifies, seals and syncs everything into <paramref name="folder"/>.</summary>
    internal void CopyTo(string folder, IProgress<ImportProgress>? progress, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder, StoreLayout.PrivateFolder);
        var total = manifest.Entries.Sum(entry => entry.Size);
        var done = 0L;
        foreach (var entry in manifest.Entries)
        {
            progress?.Report(new ImportProgress(entry.Name, done, total));
            using var source = OpenEntry(entry);
            using var target = Create(folder, entry.Name);
            var digest = SparseCopy.Run(
                source,
                target,
                entry.Size,
                count => progress?.Report(new ImportProgress(entry.Name, done += count, total)),
                cancellationToken);
            CheckDigest(entry, digest);
            Seal(target, folder, entry.Name);
        }

        using (var target = Create(folder, PackageManifest.FileName))
        {
            RandomAccess.Write(target, manifestBytes, 0);
            Seal(target, folder, PackageManifest.FileName);
        }

        LibC.SyncFolder(folder);
    }

    /// <summary>Reads everything and compares it with the manifest.</summary>
    internal void Verify(CancellationToken cancellationToken)
    {
        foreach (var entry in manifest.Entries)
        {
            using var source = OpenEntry(entry);
            CheckDigest(entry, SparseCopy.Run(source, null, entry.Size, _ => { }, cancellationToken));
        }
    }

    private void CheckDigest(PackageEntry entry, string digest)
    {
        if (digest == entry.Sha256)
            return;
        throw new PackageException(
            PackageErrorCode.DigestMismatch,
            $"The entry '{entry.Name}' in {sourceFolder} is damaged: its SHA-256 is {digest}, the manifest says {entry.Sha256}. Get or build the package again.");
    }

    private SafeFileHandle OpenEntry(PackageEntry entry)
    {
        var path = Path.Combine(sourceFolder, entry.Name);
        if (!File.Exists(path))
            throw new PackageException(PackageErrorCode.NotFound, $"The entry '{entry.Name}' of the manifest is missing: there is no file {path}.");
        // Not blocking: opening a pipe would wait for a writer, for ever.
        var handle = LibC.OpenForReading(path);
        if (handle.IsInvalid)
            throw new IOException($"Cannot open {path}: {Marshal.GetLastPInvokeErrorMessage()}.", Marshal.GetLastPInvokeError());
        long length;
        try
        {
            length = RandomAccess.GetLength(handle);
        }
        catch (NotSupportedException error)
        {
            handle.Dispose();
            throw new PackageException(PackageErrorCode.Invalid, $"The entry '{entry.Name}' at {path} is not a regular file.", error);
        }

        if (length == entry.Size)
            return handle;
        handle.Dispose();
        throw new PackageException(
            PackageErrorCode.Invalid, $"The entry '{entry.Name}' at {path} has {length} bytes, but the manifest says {entry.Size}. Get or build the package again.");
    }

    private static SafeFileHandle Create(string folder, string name) =>
        File.OpenHandle(Path.Combine(folder, name), FileMode.CreateNew, FileAccess.ReadWrite);

    private static void Seal(SafeFileHandle file, string folder, string name)
    {
        File.SetUnixFileMode(Path.Combine(folder, name), StoreLayout.SealedFile);
        RandomAccess.FlushToDisk(file);
    }
}
