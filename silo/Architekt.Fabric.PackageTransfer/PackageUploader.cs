using System.Net;
using Architekt.Fabric.Nbd;
using Architekt.Fabric.Packages;

namespace Architekt.Fabric.PackageTransfer;

/// <summary>Writes what a host still misses of a package into the exports of its <see cref="PackageIntake"/>: entry by entry, holes as zeros.</summary>
public static class PackageUploader
{
    /// <summary>One attempt. Whatever ends it early, what has arrived stays with the host, for another one.</summary>
    /// <param name="content">The package; compared with its manifest on the way.</param>
    /// <param name="server">Where the exports are.</param>
    /// <param name="exports">Their names, by the entries' names (<see cref="PackageIntake.Names"/>).</param>
    /// <param name="missing">What to send (<see cref="PackageIntake.Missing"/>).</param>
    /// <param name="progress">Told about every MiB.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="PackageTransferException"><see cref="PackageTransferErrorCode.TargetLost"/> or <see cref="PackageTransferErrorCode.TargetFull"/>.</exception>
    /// <exception cref="PackageException">The package itself is damaged.</exception>
    public static async Task UploadAsync(
        PackageContent content,
        EndPoint server,
        IReadOnlyDictionary<string, string> exports,
        IReadOnlyDictionary<string, IReadOnlyList<PackageRange>> missing,
        IProgress<PackageProgress>? progress,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(exports);
        ArgumentNullException.ThrowIfNull(missing);
        try
        {
            var done = 0L;
            foreach (var entry in content.Manifest.Entries)
            {
                if (missing[entry.Name] is { Count: > 0 } ranges)
                {
                    await using var upload = await EntryUpload.BeginAsync(server, exports[entry.Name], ranges, cancellationToken).ConfigureAwait(false);
                    await content.ReadAsync(
                        entry,
                        async (range, data) =>
                        {
                            await upload.SendAsync(range, data, cancellationToken).ConfigureAwait(false);
                            progress?.Report(new PackageProgress(entry.Name, done + range.End, content.BytesTotal));
                        },
                        cancellationToken).ConfigureAwait(false);
                    await upload.FinishAsync(cancellationToken).ConfigureAwait(false);
                }

                done += entry.Size;
                progress?.Report(new PackageProgress(entry.Name, done, content.BytesTotal));
            }
        }
        catch (NbdClientException error) when (error.Error == NbdError.NoSpace)
        {
            throw new PackageTransferException(
                PackageTransferErrorCode.TargetFull, $"The disk of the package store at {server} is full: free some space there and send {content.Digest} again; what has arrived stays.", error);
        }
        catch (Exception error) when (error is NbdConnectionException or NbdClientException or ObjectDisposedException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new PackageTransferException(PackageTransferErrorCode.TargetLost, $"The package {content.Digest} is no longer taken by {server}: {error.Message}", error);
        }
    }
}
