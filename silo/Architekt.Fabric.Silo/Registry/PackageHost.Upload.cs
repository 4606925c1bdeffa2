using System.Collections.Concurrent;
using Architekt.Fabric.Packages;
using Architekt.Fabric.PackageTransfer;

namespace Architekt.Fabric.Silo.Registry;

/// <content>Packages that clients send.</content>
internal sealed partial class PackageHost
{
    private readonly ConcurrentDictionary<string, PackageIntake> _taken = new();

    public Task<PackageUploadOffer> OpenUploadAsync(byte[] manifest, string name, CancellationToken cancellationToken) => TranslateAsync(async () =>
    {
        var digest = PackageManifest.DigestOf(manifest);
        store.RefuseTakenName(name, digest);
        if (await store.FindAsync(digest, cancellationToken) is not null)
        {
            var package = await store.TagAsync(digest, name, move: false, cancellationToken);
            return new PackageUploadOffer("", "", 0, new Dictionary<string, string>(), [], runtime.ToInfo(package, name));
        }

        var intake = PackageIntake.Open(server.Server, await store.BeginPullAsync(manifest, digest, cancellationToken));
        var token = CreateToken();
        _taken[token] = intake;
        return new PackageUploadOffer(
            token,
            options.Value.AdvertisedAddress,
            server.Port,
            intake.Names,
            [.. intake.Missing.SelectMany(entry => entry.Value.Select(range => new PackageGap(entry.Key, range.Offset, range.Length)))],
            Package: null);
    });

    public Task<PackageInfo> CommitUploadAsync(
        string token, string name, IProgress<(long Done, long Total)> progress, CancellationToken cancellationToken) => TranslateAsync(async () =>
    {
        if (!_taken.TryRemove(token, out var intake))
            throw FabricException.Unavailable($"Host '{runtime.HostName}' no longer takes '{name}' under this token: send it again, what has arrived is still there.");
        await using (intake)
        {
            var package = await intake.CommitAsync([name], new ByteProgress(progress), cancellationToken);
            // Someone may have given the name away meanwhile; then this says so.
            return runtime.ToInfo(package.Names.Contains(name) ? package : await store.TagAsync(package.Digest, name, move: false, cancellationToken), name);
        }
    });

    public async Task DiscardUploadAsync(string token)
    {
        if (!_taken.TryRemove(token, out var intake)) return;
        await using (intake) await intake.DiscardAsync();
    }
}
