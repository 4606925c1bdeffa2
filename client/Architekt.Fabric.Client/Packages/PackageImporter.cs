using Architekt.Fabric.Client.Connection;

namespace Architekt.Fabric.Client.Packages;

/// <summary>Starts imports and pulls and follows them to their end, across restarts of the host's silo.</summary>
internal sealed class PackageImporter(FabricConnection connection)
{
    // A host answers a look within a second. One that was killed never does, and nobody says so before the call's own time is over.
    private static readonly TimeSpan _lookLimit = TimeSpan.FromSeconds(5);

    public static string Key(string host, string reference) =>
        $"{FabricNames.Require(host, "host")}/{FabricNames.RequirePackageReference(reference)}";

    public Task<PackageInfo> ImportAsync(
        string host, string path, string name, IProgress<PackageImport>? progress, CancellationToken cancellationToken)
    {
        var key = Key(host, FabricNames.RequirePackageName(name));
        if (!path.StartsWith('/')) throw FabricException.Invalid($"'{path}' is not an absolute path on host '{host}'.");
        return FollowAsync(
            key,
            package => package.ImportAsync(path, cancellationToken),
            package => package.GetImportAsync(cancellationToken),
            $"Package '{name}' could not be imported on host '{host}', and the host does not say why.",
            progress,
            cancellationToken);
    }

    /// <summary>Has what was sent checked and brought into the store. Unavailable when the host has forgotten it: then it has to be sent again.</summary>
    public Task<PackageInfo> CommitAsync(string key, string name, string token, IProgress<PackageImport>? progress, CancellationToken cancellationToken) => FollowAsync(
        key,
        package => package.CommitUploadAsync(token, cancellationToken),
        package => package.GetImportAsync(cancellationToken),
        $"Package '{name}' could not be brought into the store, and the host does not say why.",
        progress,
        cancellationToken);

    public Task<PackageInfo> PullAsync(
        string host, string reference, string? name, IProgress<PackageImport>? progress, CancellationToken cancellationToken) => FollowAsync(
        Key(host, reference),
        package => package.PullAsync(name is null ? null : FabricNames.RequirePackageName(name), cancellationToken),
        package => package.GetPullAsync(cancellationToken),
        $"Package '{reference}' could not be pulled to host '{host}', and the host does not say why.",
        progress,
        cancellationToken);

    private async Task<PackageInfo> FollowAsync(
        string key,
        Func<IPackageGrain, Task<PackageImport>> start,
        Func<IPackageGrain, Task<PackageImport>> look,
        string unexplained,
        IProgress<PackageImport>? progress,
        CancellationToken cancellationToken)
    {
        var patience = new Patience(connection.Options);
        var isJoined = false;
        while (true)
        {
            try
            {
                var status = await connection.CallAsync(
                    grains => isJoined ? look(grains.GetGrain<IPackageGrain>(key)).WaitAsync(_lookLimit, cancellationToken) : start(grains.GetGrain<IPackageGrain>(key)),
                    cancellationToken).ConfigureAwait(false);
                patience.Reset();
                progress?.Report(status);
                if (status.IsFinished)
                {
                    return status.Package ?? throw new FabricException(
                        status.ErrorCode ?? FabricErrorCode.Failed, status.Error ?? unexplained, isTransient: isJoined && status.ErrorCode == FabricErrorCode.Unavailable);
                }

                isJoined = true;
            }
            catch (FabricException error) when (error.IsTransient && isJoined)
            {
                // The silo went away in the middle. Starting again joins what lives, and goes on or starts over where it does not.
                isJoined = false;
                await patience.WaitAsync(error, cancellationToken).ConfigureAwait(false);
            }
            catch (FabricException error) when (error.IsTransient && patience.IsTried)
            {
                await patience.WaitAsync(error, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
