using Architekt.Fabric.Client.Operations;

namespace Architekt.Fabric.Client;

/// <summary>A handle on a migration. The migration does not depend on it: dropping the handle stops nothing.</summary>
public class MigrationOperation : FabricOperation
{
    /// <summary>For mocks.</summary>
    protected MigrationOperation(string id, OperationInfo? started = null)
        : base(client: null, options: null, id, started)
    {
    }

    internal MigrationOperation(FabricClient client, FabricClientOptions options, string id, OperationInfo? started)
        : base(client, options, id, started)
    {
    }

    /// <summary>What the fabric has recorded of it; fails with <see cref="FabricErrorCode.NotFound"/> if there is no such operation.</summary>
    public virtual async Task<OperationInfo> GetInfoAsync(CancellationToken cancellationToken = default) =>
        await Client.FindOperationAsync(Id, cancellationToken).ConfigureAwait(false) ?? throw NotFound();

    /// <summary>Where it is now.</summary>
    public virtual Task<MigrationProgress> GetProgressAsync(CancellationToken cancellationToken = default) =>
        Client.GetProgressAsync(Id, cancellationToken);

    /// <summary>
    /// Reports as they come; the last one has the result. Goes on across restarts of silos: reconnects behind the last report,
    /// and takes the result from the record if the migration itself cannot be asked any more.
    /// </summary>
    /// <param name="afterSequence">The last report seen; 0 for none.</param>
    /// <param name="cancellationToken">Ends the watching, not the migration.</param>
    public virtual IAsyncEnumerable<MigrationProgress> WatchAsync(long afterSequence = 0, CancellationToken cancellationToken = default)
    {
        var client = Client;
        return new OperationWatch<MigrationProgress, MigrationResult>(
            Options,
            (after, token) => client.WatchGrainAsync(Id, after, token),
            static report => (report.Sequence, report.Result),
            Final,
            token => client.FindMigrationResultAsync(Id, token),
            async token => await client.FindOperationAsync(Id, token).ConfigureAwait(false) is not null,
            client.Translate,
            NotFound).RunAsync(afterSequence, cancellationToken);
    }

    /// <summary>Waits for the end and returns how it ended; a failed migration is a result, not an exception.</summary>
    /// <param name="cancellationToken">Ends the waiting, not the migration.</param>
    public virtual async Task<MigrationResult> WaitForCompletionAsync(CancellationToken cancellationToken = default)
    {
        await foreach (var report in WatchAsync(0, cancellationToken).ConfigureAwait(false))
        {
            if (report.Result is { } result) return result;
        }

        throw new FabricException(FabricErrorCode.Internal, $"The reports of operation '{Id}' ended without a result.");
    }

    /// <summary>Cancels the migration; the VM stays where it is. Fails with <see cref="FabricErrorCode.Conflict"/> once the destination is the owner.</summary>
    public override Task CancelAsync(CancellationToken cancellationToken = default) => Client.CancelOperationAsync(Id, cancellationToken);

    private static MigrationProgress Final(MigrationResult result, long last, MigrationProgress? report) => new(
        last + 1,
        MigrationPhase.Done,
        result.TotalMs,
        result.Transfer,
        RemainingBytes: 0,
        report?.BytesPerSecond ?? 0,
        report?.DirtyBytesPerSecond ?? 0,
        Message: null,
        result);

    private FabricException NotFound() => FabricException.NotFound($"There is no operation '{Id}'.");
}
