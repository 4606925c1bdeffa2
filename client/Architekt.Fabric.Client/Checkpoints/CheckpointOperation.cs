using Architekt.Fabric.Client.Connection;

namespace Architekt.Fabric.Client;

/// <summary>A handle on a checkpoint. The checkpoint does not depend on it: dropping the handle stops nothing.</summary>
public class CheckpointOperation : FabricOperation
{
    private static readonly TimeSpan _wait = TimeSpan.FromSeconds(1);

    /// <summary>For mocks.</summary>
    protected CheckpointOperation(string id, OperationInfo? started = null)
        : base(client: null, options: null, id, started)
    {
    }

    internal CheckpointOperation(FabricClient client, FabricClientOptions options, string id, OperationInfo? started)
        : base(client, options, id, started)
    {
    }

    /// <summary>Waits for the end and returns how it ended; a failed checkpoint is a result, not an exception. Goes on across restarts of silos.</summary>
    /// <param name="cancellationToken">Ends the waiting, not the checkpoint.</param>
    public virtual async Task<CheckpointResult> WaitForCompletionAsync(CancellationToken cancellationToken = default)
    {
        var client = Client;
        var patience = new Patience(Options);
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
    public override Task CancelAsync(CancellationToken cancellationToken = default) => Client.CancelCheckpointAsync(Id, cancellationToken);

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
