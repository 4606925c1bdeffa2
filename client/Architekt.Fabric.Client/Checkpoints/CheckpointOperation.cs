using Architekt.Fabric.Client.Connection;

namespace Architekt.Fabric.Client;

/// <summary>A handle on a checkpoint. The checkpoint does not depend on it: dropping the handle stops nothing.</summary>
public class CheckpointOperation
{
    private static readonly TimeSpan _wait = TimeSpan.FromSeconds(1);
    private readonly FabricClient? _client;
    private readonly FabricClientOptions? _options;

    /// <summary>For mocks.</summary>
    protected CheckpointOperation(string id, OperationInfo? started = null)
    {
        Id = id;
        Started = started;
    }

    internal CheckpointOperation(FabricClient client, FabricClientOptions options, string id, OperationInfo? started)
        : this(id, started)
    {
        _client = client;
        _options = options;
    }

    /// <summary>The operation's id.</summary>
    public string Id { get; }

    /// <summary>What was accepted, if this handle started it; null from <see cref="FabricClient.GetCheckpoint"/>.</summary>
    public OperationInfo? Started { get; }

    private FabricClient Client => _client
        ?? throw new InvalidOperationException("This CheckpointOperation was made by its constructor for mocks; override the member that is being called.");

    /// <summary>Waits for the end and returns how it ended; a failed checkpoint is a result, not an exception. Goes on across restarts of silos.</summary>
    /// <param name="cancellationToken">Ends the waiting, not the checkpoint.</param>
    public virtual async Task<CheckpointResult> WaitForCompletionAsync(CancellationToken cancellationToken = default)
    {
        var client = Client;
        var patience = new Patience(_options!);
        while (true)
        {
            try
            {
                var result = await client.WaitForCheckpointAsync(Id, _wait, cancellationToken).ConfigureAwait(false);
                if (result is not null) return result;
                patience.Reset();
            }
            catch (FabricException error) when (error.IsTransient)
            {
                // Its host's silo is away; the record may know more.
                if (await FindResultAsync(client, cancellationToken).ConfigureAwait(false) is { } recorded) return recorded;
                await patience.WaitAsync(error, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Cancels it; the guest goes on. Fails with <see cref="FabricErrorCode.Conflict"/> once it has ended.</summary>
    public virtual Task CancelAsync(CancellationToken cancellationToken = default) => Client.CancelCheckpointAsync(Id, cancellationToken);

    private async Task<CheckpointResult?> FindResultAsync(FabricClient client, CancellationToken cancellationToken)
    {
        try
        {
            return await client.FindCheckpointResultAsync(Id, cancellationToken).ConfigureAwait(false);
        }
        catch (FabricException error) when (error.IsTransient)
        {
            return null;
        }
    }
}
