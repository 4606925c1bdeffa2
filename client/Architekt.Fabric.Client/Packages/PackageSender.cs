using System.Net;
using Architekt.Fabric.Client.Connection;
using Architekt.Fabric.Packages;
using Architekt.Fabric.PackageTransfer;

namespace Architekt.Fabric.Client.Packages;

/// <summary>Sends a package of this machine into a host's store.</summary>
internal sealed class PackageSender(FabricConnection connection)
{
    public async Task<PackageInfo> SendAsync(string host, string path, string name, IProgress<PackageImport>? progress, CancellationToken cancellationToken)
    {
        var key = PackageImporter.Key(host, FabricNames.RequirePackageName(name));
        try
        {
            using var content = await Task.Run(() => PackageContent.Open(path), cancellationToken).ConfigureAwait(false);
            return await SendAsync(key, name, content, progress, cancellationToken).ConfigureAwait(false);
        }
        catch (PackageException error)
        {
            throw LocalPackageErrors.Translate(error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new FabricException(FabricErrorCode.Failed, $"{path} could not be read: {error.Message}", innerException: error);
        }
    }

    private async Task<PackageInfo> SendAsync(
        string key, string name, PackageContent content, IProgress<PackageImport>? progress, CancellationToken cancellationToken)
    {
        var patience = new Patience(connection.Options);
        var left = long.MaxValue;
        while (true)
        {
            try
            {
                var offer = await connection.CallAsync(
                    grains => grains.GetGrain<IPackageGrain>(key).OpenUploadAsync(content.ManifestBytes.ToArray(), cancellationToken), cancellationToken).ConfigureAwait(false);
                // An answer alone is no progress: the port for packages may be out of reach for ever.
                var missing = offer.Missing.Sum(gap => gap.Length);
                if (missing < left) patience.Reset();
                left = Math.Min(left, missing);
                return offer.Package ?? await SendOnceAsync(key, name, offer, content, progress, cancellationToken).ConfigureAwait(false);
            }
            catch (FabricException error) when (error.IsTransient && left < long.MaxValue)
            {
                // The host went away in the middle. What has arrived is there when it is back.
                await patience.WaitAsync(error, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<PackageInfo> SendOnceAsync(
        string key, string name, PackageUploadOffer offer, PackageContent content, IProgress<PackageImport>? progress, CancellationToken cancellationToken)
    {
        await using var open = new OpenOffer(connection, key, offer.Token);
        var missing = content.Manifest.Entries.ToDictionary(
            entry => entry.Name,
            IReadOnlyList<PackageRange> (entry) => [.. offer.Missing.Where(gap => gap.Entry == entry.Name).Select(gap => new PackageRange(gap.Offset, gap.Length))]);
        try
        {
            await Task.Run(
                () => PackageUploader.UploadAsync(
                    content, new IPEndPoint(IPAddress.Parse(offer.Address), offer.Port), offer.Exports, missing, Half.Of(progress, part: 0), cancellationToken),
                cancellationToken).ConfigureAwait(false);
        }
        catch (PackageTransferException error)
        {
            throw error.Code == PackageTransferErrorCode.TargetLost
                ? FabricException.Unavailable($"{error.Message} This machine must be able to reach the host's package port.", error)
                : new FabricException(FabricErrorCode.NoCapacity, error.Message, innerException: error);
        }
        catch (PackageException)
        {
            await DiscardAsync(key, offer.Token).ConfigureAwait(false);
            throw;
        }

        return await new PackageImporter(connection).CommitAsync(key, name, offer.Token, Half.Of(progress, part: 1), cancellationToken).ConfigureAwait(false);
    }

    private async Task DiscardAsync(string key, string token)
    {
        try
        {
            await connection.CallAsync(
                async grains =>
                {
                    await grains.GetGrain<IPackageGrain>(key).DiscardUploadAsync(token, CancellationToken.None).ConfigureAwait(false);
                    return true;
                },
                CancellationToken.None).ConfigureAwait(false);
        }
        catch (FabricException)
        {
            // The damage is what has to be told; the digests keep what has arrived out of the store.
        }
    }

    /// <summary>Sending and checking, each as a half of the whole.</summary>
    private sealed class Half(IProgress<PackageImport> progress, int part) : IProgress<PackageProgress>, IProgress<PackageImport>
    {
        public static Half? Of(IProgress<PackageImport>? progress, int part) => progress is null ? null : new Half(progress, part);

        public void Report(PackageProgress value) => Report(value.BytesDone, value.BytesTotal);

        public void Report(PackageImport value)
        {
            if (value.BytesTotal > 0) Report(value.BytesDone, value.BytesTotal);
        }

        private void Report(long done, long total) =>
            progress.Report(new PackageImport(IsFinished: false, (part * total) + done, 2 * total, null, null, null));
    }
}
