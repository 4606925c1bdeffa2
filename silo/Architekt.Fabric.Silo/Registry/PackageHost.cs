using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using Architekt.Fabric.Grains;
using Architekt.Fabric.Packages;
using Architekt.Fabric.PackageTransfer;
using Architekt.Fabric.Silo.Peers;
using Architekt.Fabric.Silo.Runtime;
using Microsoft.Extensions.Options;

namespace Architekt.Fabric.Silo.Registry;

/// <summary>The host's package store and package server, as the grains see them.</summary>
internal sealed partial class PackageHost(
    IOptions<FabricOptions> options,
    HostRuntime runtime,
    PackageStore store,
    PackageServer server,
    PeerSupervisor peers,
    IVmStore vms,
    TimeProvider time) : IPackageRuntime
{
    /// <summary>As long as a host may be away before what it had pulled is thrown away.</summary>
    private static readonly TimeSpan PartialLifetime = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<string, PackageExports> _served = new();

    public Task<PackageInfo> TagAsync(string reference, string name, bool move, CancellationToken cancellationToken) => TranslateAsync(async () =>
        runtime.ToInfo(await store.TagAsync(reference, name, move, cancellationToken), name));

    public Task<string> UntagAsync(string name, CancellationToken cancellationToken) => TranslateAsync(() => store.UntagAsync(name, cancellationToken));

    public Task DeleteAsync(string reference, CancellationToken cancellationToken) => TranslateAsync(async () =>
    {
        await store.DeleteAsync(reference, UsersAsync, cancellationToken);
        await runtime.ForgetFirstPagesAsync(cancellationToken);
        return true;
    });

    public Task<PackageCleaning> CollectAsync(CancellationToken cancellationToken) => TranslateAsync(async () =>
    {
        var cleaning = await store.GarbageCollectAsync(UsersAsync, time.GetUtcNow() - PartialLifetime, cancellationToken);
        await runtime.ForgetFirstPagesAsync(cancellationToken);
        return new PackageCleaning(runtime.HostName, cleaning.Packages, cleaning.Partials, cleaning.Bytes);
    });

    public Task<PackageOffer> OpenAsync(string reference, CancellationToken cancellationToken) => TranslateAsync(async () =>
    {
        var lease = await store.TryUseAsync(reference, cancellationToken)
            ?? throw FabricException.NotFound($"Host '{runtime.HostName}' has no package '{reference}'.");
        var package = lease.Package;
        var exports = PackageExports.Open(server.Server, lease);
        var token = CreateToken();
        _served[token] = exports;
        return new PackageOffer(
            token,
            package.Digest,
            options.Value.AdvertisedAddress,
            server.Port,
            await File.ReadAllBytesAsync(Path.Combine(package.Folder, PackageManifest.FileName), cancellationToken),
            exports.Names);
    });

    public async Task CloseAsync(string token)
    {
        if (_served.TryRemove(token, out var exports)) await exports.DisposeAsync();
        if (_taken.TryRemove(token, out var intake)) await intake.DisposeAsync();
    }

    public Task<PackageInfo> PullAsync(
        PackageOffer offer, IReadOnlyList<string> names, IProgress<(long Done, long Total)> progress, CancellationToken cancellationToken) => TranslateAsync(async () =>
    {
        using var pull = await store.BeginPullAsync(offer.Manifest, offer.Digest, cancellationToken);
        progress.Report((pull.BytesDone, pull.BytesTotal));
        await PackagePuller.PullAsync(
            pull,
            new IPEndPoint(IPAddress.Parse(offer.Address), offer.Port),
            offer.Exports,
            new PackagePullOptions { TimeProvider = time },
            new ByteProgress(progress),
            cancellationToken);
        var package = await pull.CommitAsync(names, null, cancellationToken);
        return runtime.ToInfo(package, package.Names.Count > 0 ? package.Names[0] : package.Digest);
    });

    private static string CreateToken() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    /// <summary>What VMs of this host have as their base, running or stopped; the peers also know of migrations that are on their way here.</summary>
    private async Task<IReadOnlySet<string>> UsersAsync(CancellationToken cancellationToken)
    {
        var owned = await vms.ListAsync(runtime.HostName, cancellationToken);
        return owned.Select(static vm => vm.Machine.PackageDigest)
            .Concat(peers.Peers.Select(static peer => Path.GetFileName(Path.GetDirectoryName(peer.Instance.KernelPath))).OfType<string>())
            .ToHashSet();
    }

    private async Task<T> TranslateAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (PackageException error)
        {
            throw HostRuntime.ToFabric(error);
        }
        catch (PackageTransferException error)
        {
            throw error.Code == PackageTransferErrorCode.SourceLost
                ? FabricException.Unavailable(error.Message, error)
                : new FabricException(FabricErrorCode.Failed, error.Message, innerException: error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new FabricException(FabricErrorCode.Internal, $"The package store of host '{runtime.HostName}' failed: {error.Message}", innerException: error);
        }
    }

    private sealed class ByteProgress(IProgress<(long Done, long Total)> progress) : IProgress<PackageProgress>
    {
        public void Report(PackageProgress value) => progress.Report((value.BytesDone, value.BytesTotal));
    }
}
