namespace Architekt.Fabric.Grains;

/// <summary>Sees to it that a host has a package before something there needs it.</summary>
internal sealed class PackageEnsurer(IGrainFactory grains, TimeProvider time)
{
    /// <summary>Returns when the package is in the host's store; pulls it there if it is not. All who ask at the same time share one pull.</summary>
    /// <param name="host">The host.</param>
    /// <param name="reference">The package's name or digest.</param>
    /// <param name="name">A name it gets there if that is free, or null.</param>
    /// <param name="patience">How long to wait; the pull goes on after that, and the error, which is transient, says how far it is.</param>
    /// <param name="report">Told how far the pull is, if there is one.</param>
    /// <param name="cancellationToken">Ends the waiting, not the pull.</param>
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
