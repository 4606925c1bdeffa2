namespace Architekt.Fabric.Grains;

/// <summary>The package store and the package server beneath a silo, beside <see cref="IHostRuntime"/>. Methods throw <see cref="FabricException"/>.</summary>
public interface IPackageRuntime
{
    /// <summary>Makes a further name stand for a package.</summary>
    Task<PackageInfo> TagAsync(string reference, string name, bool move, CancellationToken cancellationToken);

    /// <summary>Removes a name and leaves its package; returns the digest.</summary>
    Task<string> UntagAsync(string name, CancellationToken cancellationToken);

    /// <summary>Removes a name and the package with its last name, or a package by digest. <see cref="FabricErrorCode.Conflict"/> while it is used.</summary>
    Task DeleteAsync(string reference, CancellationToken cancellationToken);

    /// <summary>Removes what has neither a name nor a user.</summary>
    Task<PackageCleaning> CollectAsync(CancellationToken cancellationToken);

    /// <summary>Serves a package until <see cref="CloseAsync"/>.</summary>
    Task<PackageOffer> OpenAsync(string reference, CancellationToken cancellationToken);

    /// <summary>Stops serving, or taking, and leaves what has arrived; harmless when it was closed.</summary>
    Task CloseAsync(string token);

    /// <summary>Takes a package that is written to exports, until it is committed, discarded or closed; only names it when it is there.</summary>
    Task<PackageUploadOffer> OpenUploadAsync(byte[] manifest, string name, CancellationToken cancellationToken);

    /// <summary>Compares what has arrived with its manifest and makes it a package of the store.</summary>
    Task<PackageInfo> CommitUploadAsync(string token, string name, IProgress<(long Done, long Total)> progress, CancellationToken cancellationToken);

    /// <summary>Stops taking, and throws away what has arrived; harmless when it was closed.</summary>
    Task DiscardUploadAsync(string token);

    /// <summary>
    /// One attempt to pull a package; what arrives stays for the next one. An error that is transient says that the source was lost,
    /// <see cref="FabricErrorCode.Failed"/> that it served something wrong.
    /// </summary>
    /// <param name="offer">Where it is served.</param>
    /// <param name="names">Names it gets as far as they are free.</param>
    /// <param name="progress">Told how far it is, in bytes, from several threads.</param>
    /// <param name="cancellationToken">Stops it.</param>
    Task<PackageInfo> PullAsync(
        PackageOffer offer, IReadOnlyList<string> names, IProgress<(long Done, long Total)> progress, CancellationToken cancellationToken);
}
