using System.Net;
using Architekt.Fabric.Nbd;
using Architekt.Fabric.Packages;

namespace Architekt.Fabric.PackageTransfer;

/// <summary>Reads what a pull still misses from the exports of a host that has the package: all entries side by side, holes skipped.</summary>
public static class PackagePuller
{
    /// <summary>One attempt. Whatever ends it early, what has arrived stays with <paramref name="pull"/>, for an attempt with this source or another.</summary>
    /// <param name="pull">What is wanted and what of it is there.</param>
    /// <param name="server">Where the exports are.</param>
    /// <param name="exports">Their names, by the entries' names (<see cref="PackageExports.Names"/>).</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="progress">Told about every MiB, from several threads.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="PackageTransferException">The source is lost or serves something else.</exception>
    /// <exception cref="PackageException"><see cref="PackageErrorCode.NoSpace"/>.</exception>
    public static async Task PullAsync(
        PackagePull pull,
        EndPoint server,
        IReadOnlyDictionary<string, string> exports,
        PackagePullOptions? options,
        IProgress<PackageProgress>? progress,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(pull);
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(exports);
        options ??= new PackagePullOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Connections, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Connections, 16, nameof(options));

        await using var attempt = new PullAttempt(pull, server, exports, options, progress);
        try
        {
            await attempt.RunAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is NbdConnectionException or NbdClientException or ObjectDisposedException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new PackageTransferException(
                PackageTransferErrorCode.SourceLost,
                $"The package {pull.Digest} is no longer served by {server}, with {pull.BytesTotal - pull.BytesDone} of {pull.BytesTotal} bytes still missing: {error.Message}",
                error);
        }
    }
}
