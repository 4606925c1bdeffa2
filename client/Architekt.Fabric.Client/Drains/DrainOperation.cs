using Architekt.Fabric.Client.Operations;

namespace Architekt.Fabric.Client;

/// <summary>A handle on a drain. The drain does not depend on it: dropping the handle stops nothing.</summary>
public class DrainOperation
{
    private readonly FabricClient? _client;
    private readonly FabricClientOptions? _options;

    /// <summary>For mocks.</summary>
    protected DrainOperation(string id, OperationInfo? started = null)
    {
        Id = id;
        Started = started;
    }

    internal DrainOperation(FabricClient client, FabricClientOptions options, string id, OperationInfo? started)
        : this(id, started)
    {
        _client = client;
        _options = options;
    }

    /// <summary>The operation's id.</summary>
    public string Id { get; }

    /// <summary>What was accepted, if this handle started it; null from <see cref="FabricClient.GetDrain"/>.</summary>
    public OperationInfo? Started { get; }

    private FabricClient Client => _client
        ?? throw new InvalidOperationException("This DrainOperation was made by its constructor for mocks; override the member that is being called.");

    /// <summary>Where it is now.</summary>
    public virtual Task<DrainProgress> GetProgressAsync(CancellationToken cancellationToken = default) => Client.GetDrainProgressAsync(Id, cancellationToken);

    /// <summary>
    /// Reports as they come; the last one has the result. Goes on across restarts of silos: reconnects behind the last report, and takes the result from the record if
    /// the drain itself cannot be asked any more.
    /// </summary>
    /// <param name="afterSequence">The last report seen; 0 for none.</param>
    /// <param name="cancellationToken">Ends the watching, not the drain.</param>
    public virtual IAsyncEnumerable<DrainProgress> WatchAsync(long afterSequence = 0, CancellationToken cancellationToken = default)
    {
        var client = Client;
        return new OperationWatch<DrainProgress, DrainResult>(
            _options!,
            (after, token) => client.WatchDrainAsync(Id, after, token),
            static report => (report.Sequence, report.Result),
            static (result, last, _) => new DrainProgress(last + 1, result.TotalMs, result.Vms, result),
            token => client.FindDrainResultAsync(Id, token),
            async token => await client.FindOperationAsync(Id, token).ConfigureAwait(false) is not null,
            client.Translate,
            () => FabricException.NotFound($"There is no operation '{Id}'.")).RunAsync(afterSequence, cancellationToken);
    }

    /// <summary>Waits for the end and returns how it ended; a drain that failed is a result, not an exception.</summary>
    /// <param name="cancellationToken">Ends the waiting, not the drain.</param>
    public virtual async Task<DrainResult> WaitForCompletionAsync(CancellationToken cancellationToken = default)
    {
        await foreach (var report in WatchAsync(0, cancellationToken).ConfigureAwait(false))
        {
            if (report.Result is { } result) return result;
        }

        throw new FabricException(FabricErrorCode.Internal, $"The reports of operation '{Id}' ended without a result.");
    }

    /// <summary>
    /// Cancels the drain: migrations under way are cancelled, or finished if they are past their commit; the rest stays, and the host stays cordoned. Returns when
    /// that is recorded. Fails with <see cref="FabricErrorCode.Conflict"/> once it has ended.
    /// </summary>
    public virtual Task CancelAsync(CancellationToken cancellationToken = default) => Client.CancelDrainAsync(Id, cancellationToken);
}
