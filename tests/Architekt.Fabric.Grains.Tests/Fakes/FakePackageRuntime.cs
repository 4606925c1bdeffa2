namespace Architekt.Fabric.Grains.Tests.Fakes;

/// <summary>One host's package store. Scripts and journal know its calls by the package's digest.</summary>
internal sealed class FakePackageRuntime(FakeWorld world, string host) : IPackageRuntime
{
    public Task<PackageInfo> TagAsync(string reference, string name, bool move, CancellationToken cancellationToken) =>
        Task.FromResult(world.Packages.Find(host, reference)! with { Name = name });

    public Task<string> UntagAsync(string name, CancellationToken cancellationToken)
    {
        var digest = world.Packages.Find(host, name)!.Digest;
        world.Packages.Remove(host, name);
        return Task.FromResult(digest);
    }

    public Task DeleteAsync(string reference, CancellationToken cancellationToken) => world.CallAsync(host, "DeletePackage", reference, cancellationToken);

    public Task<PackageCleaning> CollectAsync(CancellationToken cancellationToken) => Task.FromResult(new PackageCleaning(host, [], [], 0));

    public async Task<PackageOffer> OpenAsync(string reference, CancellationToken cancellationToken)
    {
        await world.CallAsync(host, "Open", reference, cancellationToken);
        var token = Guid.NewGuid().ToString("N");
        world.Packages.Open[token] = reference;
        return new PackageOffer(token, reference, host, 30001, [1], new Dictionary<string, string>());
    }

    public Task CloseAsync(string token)
    {
        world.Packages.Open.TryRemove(token, out _);
        return Task.CompletedTask;
    }

    public async Task<PackageUploadOffer> OpenUploadAsync(byte[] manifest, string name, CancellationToken cancellationToken)
    {
        await world.CallAsync(host, "OpenUpload", name, cancellationToken);
        var token = Guid.NewGuid().ToString("N");
        world.Packages.Open[token] = name;
        return new PackageUploadOffer(token, host, 30001, new Dictionary<string, string>(), [], null);
    }

    public async Task<PackageInfo> CommitUploadAsync(string token, string name, IProgress<(long Done, long Total)> progress, CancellationToken cancellationToken)
    {
        world.Packages.Open.TryRemove(token, out _);
        progress.Report((1, 2));
        await world.CallAsync(host, "CommitUpload", name, cancellationToken);
        return world.Packages.Add(host, name, 'a');
    }

    public Task DiscardUploadAsync(string token)
    {
        world.Packages.Open.TryRemove(token, out _);
        return world.CallAsync(host, "DiscardUpload", token, CancellationToken.None);
    }

    public async Task<PackageInfo> PullAsync(
        PackageOffer offer, IReadOnlyList<string> names, IProgress<(long Done, long Total)> progress, CancellationToken cancellationToken)
    {
        progress.Report((1, 2));
        await world.CallAsync($"{host} from {offer.Address}", "Pull", offer.Digest, cancellationToken);
        return world.Packages.Copy(offer.Digest, host, names);
    }
}
