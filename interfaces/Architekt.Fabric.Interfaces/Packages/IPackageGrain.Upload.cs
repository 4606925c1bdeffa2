namespace Architekt.Fabric;

/// <content>Taking a package from a client's machine.</content>
public partial interface IPackageGrain
{
    /// <summary>
    /// Takes a package under the name in the grain's key: the host serves exports to write it to, for <see cref="PackageOffer.Lifetime"/> and while
    /// <see cref="KeepOpenAsync"/> is called in time. <see cref="CloseAsync"/> ends that and leaves what has arrived for another attempt.
    /// </summary>
    /// <param name="manifest">The package's manifest.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    [Alias("open-upload")]
    Task<PackageUploadOffer> OpenUploadAsync(byte[] manifest, CancellationToken cancellationToken = default);

    /// <summary>
    /// Everything was sent: starts to compare it with its manifest and to bring it into the store, which <see cref="GetImportAsync"/> follows. <see cref="FabricErrorCode.Unavailable"/>:
    /// the offer is no longer open; ask for another one.
    /// </summary>
    [Alias("commit-upload")]
    Task<PackageImport> CommitUploadAsync(string token, CancellationToken cancellationToken = default);

    /// <summary>The package turned out to be damaged where it is from: closes an offer and throws away what has arrived. Harmless when it was closed.</summary>
    [Alias("discard-upload")]
    Task DiscardUploadAsync(string token, CancellationToken cancellationToken = default);
}
