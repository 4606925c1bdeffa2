namespace Architekt.Fabric.Grains;

/// <summary>Sees to it that a host has a package before something there needs it.</summary>
internal interface IPackageEnsurer
{
    /// <summary>Returns when the package is in the host's store; pulls it there if it is not. All who ask at the same time share one pull.</summary>
    /// <param name="host">The host.</param>
    /// <param name="reference">The package's name or digest.</param>
    /// <param name="name">A name it gets there if that is free, or null.</param>
    /// <param name="patience">How long to wait; the pull goes on after that, and the error, which is transient, says how far it is.</param>
    /// <param name="report">Told how far the pull is, if there is one.</param>
    /// <param name="cancellationToken">Ends the waiting, not the pull.</param>
    Task EnsureAsync(
        string host, string reference, string? name, TimeSpan patience, Action<PackageImport>? report, CancellationToken cancellationToken);
}
