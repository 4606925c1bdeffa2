using Architekt.Fabric.Client.Connection;

namespace Architekt.Fabric.Client.Packages;

/// <summary>Starts an import and follows it to its end, across restarts of the host's silo.</summary>
internal sealed class PackageImporter(FabricConnection connection)
{
    public static string Key(string host, string name) =>
        $"{FabricNames.Require(host, "host")}/{FabricNames.Require(name, "package")}";

    public async Task<PackageInfo> ImportAsync(
        string host, string path, string name, IProgress<PackageImport>? progress, CancellationToken cancellationToken)
    {
        var key = Key(host, name);
        if (!path.StartsWith('/')) throw FabricException.Invalid($"'{path}' is not an absolute path on host '{host}'.");

        var patience = new Patience(connection.Options);
        var isJoined = false;
        while (true)
        {
            try
            {
                var status = await connection.CallAsync(
                    grains => isJoined
                        ? grains.GetGrain<IPackageGrain>(key).GetImportAsync(cancellationToken)
                        : grains.GetGrain<IPackageGrain>(key).ImportAsync(path, cancellationToken),
                    cancellationToken).ConfigureAwait(false);
                patience.Reset();
                progress?.Report(status);
                if (status.IsFinished) return Finish(host, name, status);
                isJoined = true;
            }
            catch (FabricException error) when (error.IsTransient && isJoined)
            {
                // The silo went away in the middle. Importing again joins the import if it lives and starts it over if it does not.
                isJoined = false;
                await patience.WaitAsync(error, cancellationToken).ConfigureAwait(false);
            }
            catch (FabricException error) when (error.IsTransient && patience.IsTried)
            {
                await patience.WaitAsync(error, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static PackageInfo Finish(string host, string name, PackageImport status) =>
        status.Package ?? throw new FabricException(
            status.ErrorCode ?? FabricErrorCode.Failed,
            status.Error ?? $"Package '{name}' could not be imported on host '{host}', and the host does not say why.");
}
