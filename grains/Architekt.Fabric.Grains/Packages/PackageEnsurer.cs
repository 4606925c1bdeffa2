namespace Architekt.Fabric.Grains;

/// <summary>Asks the package's grain on that host.</summary>
internal sealed class PackageEnsurer(IGrainFactory grains, TimeProvider time) : IPackageEnsurer
{
    public async Task EnsureAsync(
        string host, string reference, string? name, TimeSpan patience, Action<PackageImport>? report, CancellationToken cancellationToken)
    {
        FabricNames.RequirePackageReference(reference);
        var package = grains.GetGrain<IPackageGrain>(new PackageKey(host, reference).ToString());
        var begun = time.GetTimestamp();
        var status = await package.PullAsync(name, cancellationToken);
        while (!status.IsFinished)
        {
            if (time.GetElapsedTime(begun) > patience)
            {
                throw FabricException.Unavailable(
                    $"Package '{reference}' is still being pulled to host '{host}' ({status.BytesDone} of {status.BytesTotal} bytes): try again, or wait for it with 'fabric package pull {reference} --host {host}'.");
            }

            report?.Invoke(status);
            status = await package.GetPullAsync(cancellationToken);
        }

        if (status.Package is null)
        {
            var code = status.ErrorCode ?? FabricErrorCode.Failed;
            throw new FabricException(
                code, status.Error ?? $"Package '{reference}' could not be pulled to host '{host}', and the host does not say why.", code == FabricErrorCode.Unavailable);
        }
    }
}
