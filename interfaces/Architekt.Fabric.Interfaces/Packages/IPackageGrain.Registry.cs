namespace Architekt.Fabric;

/// <content>Names, pulls and serving.</content>
public partial interface IPackageGrain
{
    /// <summary>
    /// Starts to pull the package from a host that has it, or joins the pull that is under way. Finished at once when it is there. A pull that was interrupted
    /// goes on where it ended, from whichever host has the package.
    /// </summary>
    /// <param name="name">A name it gets if that is free on this host; null for none besides the one in the grain's key.</param>
    /// <param name="cancellationToken">Ends the call, not the pull.</param>
    [Alias("pull")]
    Task<PackageImport> PullAsync(string? name, CancellationToken cancellationToken = default);

    /// <summary>How far the pull is; waits up to a second for a change. <see cref="FabricErrorCode.Unavailable"/> in it: the silo was restarted, pull again.</summary>
    [Alias("pull-status")]
    Task<PackageImport> GetPullAsync(CancellationToken cancellationToken = default);

    /// <summary>Makes a further name stand for the package.</summary>
    /// <param name="name">The name, with its tag.</param>
    /// <param name="move">Whether to take it from another package that has it.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    [Alias("tag")]
    Task<PackageInfo> TagAsync(string name, bool move, CancellationToken cancellationToken = default);

    /// <summary>Removes the name in the grain's key and leaves its package. Returns the digest.</summary>
    [Alias("untag")]
    Task<string> UntagAsync(CancellationToken cancellationToken = default);

    /// <summary>Removes the name in the grain's key, and the package with its last name; or, by digest, the package. <see cref="FabricErrorCode.Conflict"/> while it is used.</summary>
    [Alias("delete")]
    Task DeleteAsync(CancellationToken cancellationToken = default);

    /// <summary>Serves the package for <see cref="PackageOffer.Lifetime"/> and while <see cref="KeepOpenAsync"/> is called in time.</summary>
    [Alias("open-for-pull")]
    Task<PackageOffer> OpenForPullAsync(CancellationToken cancellationToken = default);

    /// <summary>Goes on serving an offer. <see cref="FabricErrorCode.NotFound"/>: it was closed.</summary>
    [Alias("keep-open")]
    Task KeepOpenAsync(string token, CancellationToken cancellationToken = default);

    /// <summary>Stops serving an offer; harmless when it was closed.</summary>
    [Alias("close")]
    Task CloseAsync(string token, CancellationToken cancellationToken = default);
}
