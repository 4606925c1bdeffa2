namespace Architekt.Fabric;

/// <summary>One checkpoint of a VM. The key is the operation's id; the grain is pinned to the VM's host.</summary>
[Alias("architekt.checkpoint")]
public interface ICheckpointGrain : IGrainWithStringKey
{
    /// <summary>Starts the recorded operation, or does nothing if it has been started.</summary>
    [Alias("start")]
    Task StartAsync(CancellationToken cancellationToken = default);

    /// <summary>Its result; null if it has not ended within <paramref name="waitMs"/>.</summary>
    /// <param name="waitMs">How long to wait for the end, 0 to 10000 ms.</param>
    /// <param name="cancellationToken">Ends the call, not the checkpoint.</param>
    [Alias("wait")]
    Task<CheckpointResult?> WaitAsync(int waitMs, CancellationToken cancellationToken = default);

    /// <summary>
    /// Cancels it: the guest goes on and nothing is left. Refused with <see cref="FabricErrorCode.Conflict"/> once it has ended, or once a guest that was to be stopped has been.
    /// </summary>
    [Alias("cancel")]
    Task CancelAsync(CancellationToken cancellationToken = default);
}
