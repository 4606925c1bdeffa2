namespace Architekt.Fabric;

/// <summary>One drain of a host. The key is the operation's id; it runs on any silo, and on another if that one ends.</summary>
[Alias("architekt.drain")]
public interface IDrainGrain : IGrainWithStringKey
{
    /// <summary>Cordons the host, records the drain and starts it; asking twice with one id gives the same drain.</summary>
    [Alias("begin")]
    Task<OperationInfo> BeginAsync(DrainRequest request, CancellationToken cancellationToken = default);

    /// <summary>Drives the recorded drain on, or does nothing if it is driven or has ended.</summary>
    [Alias("start")]
    Task StartAsync(CancellationToken cancellationToken = default);

    /// <summary>Where it is now.</summary>
    [Alias("get")]
    Task<DrainProgress> GetAsync(CancellationToken cancellationToken = default);

    /// <summary>Reports as they come; ends after the report with the result. Not watching does not stop it.</summary>
    /// <param name="afterSequence">The last report the caller has seen; 0 for none.</param>
    /// <param name="cancellationToken">Ends the watching, not the drain.</param>
    [Alias("watch")]
    IAsyncEnumerable<DrainProgress> WatchAsync(long afterSequence, CancellationToken cancellationToken = default);

    /// <summary>
    /// Cancels it: migrations under way are cancelled, or finished if they are past their commit, and the rest stays. Returns once that has been recorded, which
    /// may be before the last of them has ended. Refused with <see cref="FabricErrorCode.Conflict"/> once the drain has ended.
    /// </summary>
    [Alias("cancel")]
    Task CancelAsync(CancellationToken cancellationToken = default);
}
