namespace Architekt.Fabric;

/// <summary>One migration. The key is the operation's id; it runs on the destination's silo and does not move while that lives.</summary>
[Alias("architekt.migration")]
public interface IMigrationGrain : IGrainWithStringKey
{
    /// <summary>Starts the recorded operation, or does nothing if it has been started.</summary>
    [Alias("start")]
    Task StartAsync(CancellationToken cancellationToken = default);

    /// <summary>Where it is now.</summary>
    [Alias("get")]
    Task<MigrationProgress> GetAsync(CancellationToken cancellationToken = default);

    /// <summary>Reports as they come; ends after the report with the result. Not watching does not stop it.</summary>
    /// <param name="afterSequence">The last report the caller has seen; 0 for none.</param>
    /// <param name="cancellationToken">Ends the watching, not the migration.</param>
    [Alias("watch")]
    IAsyncEnumerable<MigrationProgress> WatchAsync(long afterSequence, CancellationToken cancellationToken = default);

    /// <summary>Cancels it. Refused with <see cref="FabricErrorCode.Conflict"/> once the destination is the owner.</summary>
    [Alias("cancel")]
    Task CancelAsync(CancellationToken cancellationToken = default);
}
