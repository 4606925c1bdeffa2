using Architekt.Fabric.Packages.Interop;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Packages;

/// <summary>Reads one package, verifying it on the way, and copies it into a store's private folder if asked.</summary>
/// <param name="source">Where the package is.</param>
/// <param name="progress">Told about every MiB.</param>
internal sealed class PackageImport(IPackageSource source, IProgress<PackageProgress>? progress)
{
    private readonly long _total = source.Manifest.Entries.Sum(entry => entry.Size);
    private long _done;

    /// <summary>Copies, verifies, seals and syncs everything into <paramref name="folder"/>.</summary>
    internal async Task CopyToAsync(string folder, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder, StoreLayout.PrivateFolder);
        foreach (var entry in source.Manifest.Entries)
        {
            using var target = EntryFile.Create(folder, entry.Name);
            EntryFile.SetLength(target, entry, source.Path);
            await ReadAsync(entry, target, cancellationToken);
            EntryFile.Seal(target, folder, entry.Name);
        }

        using (var target = EntryFile.Create(folder, PackageManifest.FileName))
        {
            RandomAccess.Write(target, source.ManifestBytes, 0);
            EntryFile.Seal(target, folder, PackageManifest.FileName);
        }

        LibC.SyncFolder(folder);
    }

    /// <summary>Reads everything and compares it with the manifest.</summary>
    internal async Task VerifyAsync(CancellationToken cancellationToken)
    {
        foreach (var entry in source.Manifest.Entries)
            await ReadAsync(entry, null, cancellationToken);
    }

    private async Task ReadAsync(PackageEntry entry, SafeFileHandle? target, CancellationToken cancellationToken)
    {
        progress?.Report(new PackageProgress(entry.Name, _done, _total));
        using var digest = new ContentDigest(
            count => progress?.Report(new PackageProgress(entry.Name, _done += count, _total)), cancellationToken);
        // One segment is digested and written while the next is read or unpacked.
        var digesting = Task.CompletedTask;
        try
        {
            var position = 0L;
            foreach (var segment in source.Read(entry, cancellationToken))
            {
                await digesting;
                var start = position;
                digesting = Task.Run(
                    () =>
                    {
                        digest.Append(segment);
                        if (target is not null)
                            SparseWriter.Write(target, segment.Data.Span, start);
                    },
                    CancellationToken.None);
                position += segment.Length;
            }

            await digesting;
        }
        finally
        {
            // It must not write into a file that is being removed.
            await digesting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        digest.Check(entry, source.Path);
    }
}
