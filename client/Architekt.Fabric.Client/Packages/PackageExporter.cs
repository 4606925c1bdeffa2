using System.Net;
using Architekt.Fabric.Client.Connection;
using Architekt.Fabric.Packages;
using Architekt.Fabric.PackageTransfer;

namespace Architekt.Fabric.Client.Packages;

/// <summary>Pulls a package to this machine and writes it into an archive.</summary>
internal sealed class PackageExporter(FabricConnection connection)
{
    public async Task<ArkInfo> ExportAsync(
        string key, string path, ArkWriteOptions? options, IProgress<PackageProgress>? progress, CancellationToken cancellationToken)
    {
        var target = Path.GetFullPath(path);
        if (File.Exists(target) && options is not { Overwrite: true })
            throw new FabricException(FabricErrorCode.AlreadyExists, $"{target} is there already. Give another name, or say that it may be overwritten.");
        if (Path.GetDirectoryName(target) is not { } folder || !Directory.Exists(folder))
            throw FabricException.NotFound($"The archive cannot be written to {target}: there is no such folder.");

        // Beside the archive: where that has room, this has, more or less.
        var temporary = Path.Combine(folder, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}.pulling");
        try
        {
            var store = await PackageStore.OpenAsync(temporary, null, cancellationToken).ConfigureAwait(false);
            var package = await PullAsync(store, key, Doubled(progress, part: 0), cancellationToken).ConfigureAwait(false);
            return await ArkWriter.WriteAsync(package, target, options, Doubled(progress, part: 1), cancellationToken).ConfigureAwait(false);
        }
        catch (PackageException error)
        {
            throw LocalPackageErrors.Translate(error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new FabricException(FabricErrorCode.Failed, $"{target} could not be written: {error.Message}", innerException: error);
        }
        finally
        {
            Remove(temporary);
        }
    }

    private async Task<StoredPackage> PullAsync(PackageStore store, string key, IProgress<PackageProgress>? progress, CancellationToken cancellationToken)
    {
        var patience = new Patience(connection.Options);
        while (true)
        {
            try
            {
                return await PullOnceAsync(store, key, progress, patience, cancellationToken).ConfigureAwait(false);
            }
            catch (FabricException error) when (error.IsTransient)
            {
                await patience.WaitAsync(error, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<StoredPackage> PullOnceAsync(
        PackageStore store, string key, IProgress<PackageProgress>? progress, Patience patience, CancellationToken cancellationToken)
    {
        var offer = await connection.CallAsync(
            grains => grains.GetGrain<IPackageGrain>(key).OpenForPullAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
        patience.Reset();
        await using var open = new OpenOffer(connection, key, offer.Token);
        try
        {
            using var pull = await store.BeginPullAsync(offer.Manifest, offer.Digest, cancellationToken).ConfigureAwait(false);
            await PackagePuller.PullAsync(
                pull, new IPEndPoint(IPAddress.Parse(offer.Address), offer.Port), offer.Exports, null, progress, cancellationToken).ConfigureAwait(false);
            return await pull.CommitAsync([], null, cancellationToken).ConfigureAwait(false);
        }
        catch (PackageTransferException error)
        {
            throw error.Code == PackageTransferErrorCode.SourceLost
                ? FabricException.Unavailable($"{error.Message} This machine must be able to reach the host's package port.", error)
                : new FabricException(FabricErrorCode.Failed, error.Message, innerException: error);
        }
    }

    private static Relay? Doubled(IProgress<PackageProgress>? progress, int part) => progress is null ? null : new Relay(progress, part);

    private static void Remove(string store)
    {
        if (!Directory.Exists(store)) return;
        // What is in a store is sealed, so that nobody empties it by accident.
        foreach (var folder in Directory.EnumerateDirectories(store))
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.Delete(store, recursive: true);
    }

    /// <summary>One of two passes over the package, as a half of the whole.</summary>
    private sealed class Relay(IProgress<PackageProgress> progress, int part) : IProgress<PackageProgress>
    {
        public void Report(PackageProgress value) =>
            progress.Report(new PackageProgress(value.Entry, (part * value.BytesTotal) + value.BytesDone, 2 * value.BytesTotal));
    }
}
