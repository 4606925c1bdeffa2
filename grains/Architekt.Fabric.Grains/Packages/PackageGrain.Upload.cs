namespace Architekt.Fabric.Grains;

/// <content>Taking the package from a client's machine: the client writes to exports of this host, then the package is imported from what has arrived.</content>
internal sealed partial class PackageGrain
{
    private const string UploadSource = "the machine of a client";

    public async Task<PackageUploadOffer> OpenUploadAsync(byte[] manifest, CancellationToken cancellationToken)
    {
        FabricNames.RequirePackageName(Package);
        RefuseDuringImport();
        var offer = await packages.OpenUploadAsync(manifest, Package, cancellationToken);
        if (offer.Package is null) KeepServing(offer.Token);
        return offer;
    }

    public Task<PackageImport> CommitUploadAsync(string token, CancellationToken cancellationToken)
    {
        // Asking twice joins, as with every import.
        if (_importing is { IsCompleted: false } && _committing == token) return Task.FromResult(Current());
        RefuseDuringImport();
        if (!_open.Remove(token))
            throw FabricException.Unavailable($"Host '{Locator.LocalHost}' no longer takes '{Package}' under this token: send it again, what has arrived is still there.");
        StopCheckingIfNothingIsOpen();
        _committing = token;
        return Task.FromResult(BeginImport(UploadSource, (reports, stopping) => packages.CommitUploadAsync(token, Package, reports, stopping)));
    }

    public async Task DiscardUploadAsync(string token, CancellationToken cancellationToken)
    {
        if (!_open.Remove(token)) return;
        StopCheckingIfNothingIsOpen();
        await packages.DiscardUploadAsync(token);
    }

    private void RefuseDuringImport()
    {
        if (_importing is { IsCompleted: false })
            throw FabricException.Conflict($"'{Package}' is being imported from '{_progress.Path}' on '{Locator.LocalHost}': wait for its end.");
    }
}
