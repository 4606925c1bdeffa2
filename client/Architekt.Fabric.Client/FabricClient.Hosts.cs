using System.Runtime.CompilerServices;
using Architekt.Fabric.Client.Migrations;

namespace Architekt.Fabric.Client;

public partial class FabricClient
{
    /// <summary>All hosts the fabric has ever seen, by name.</summary>
    public virtual async Task<IReadOnlyList<HostInfo>> ListHostsAsync(CancellationToken cancellationToken = default)
    {
        var hosts = await Connection.CallCatalogAsync(catalog => catalog.ListHostsAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
        return [.. hosts.OrderBy(host => host.Name, StringComparer.Ordinal)];
    }

    /// <summary>Closes a host to new VMs and migrations. What runs there is not touched; the host's silo need not be reachable.</summary>
    public virtual Task<HostInfo> CordonHostAsync(string host, CancellationToken cancellationToken = default) => CordonAsync(host, isCordoned: true, cancellationToken);

    /// <summary>Opens a host again. Fails with <see cref="FabricErrorCode.Conflict"/> while it is drained.</summary>
    public virtual Task<HostInfo> UncordonHostAsync(string host, CancellationToken cancellationToken = default) => CordonAsync(host, isCordoned: false, cancellationToken);

    /// <summary>Cordons a host and starts moving everything off it. Returns when the fabric has accepted it.</summary>
    /// <param name="host">The host to empty; it stays cordoned.</param>
    /// <param name="options">How; null takes the defaults.</param>
    /// <param name="operationId">
    /// Id of the operation, a name after <see cref="FabricNames.IsValid"/>: asking again with the same id gives the same drain. Null makes one up.
    /// </param>
    /// <param name="cancellationToken">Ends the call, not the drain.</param>
    public virtual async Task<DrainOperation> DrainHostAsync(
        string host, DrainOptions? options = null, string? operationId = null, CancellationToken cancellationToken = default)
    {
        FabricNames.Require(host, "host");
        options ??= new DrainOptions();
        options.Validate();
        var id = operationId is null ? OperationId.Create() : FabricNames.Require(operationId, "operation");
        var started = await RepeatAsync(
            () => Connection.CallAsync(grains => grains.GetGrain<IDrainGrain>(id).BeginAsync(new DrainRequest(host, options), cancellationToken), cancellationToken),
            cancellationToken).ConfigureAwait(false);
        return new DrainOperation(this, Connection.Options, started.Id, started);
    }

    /// <summary>A handle on a drain that was started earlier, by anyone. Nothing is asked of the fabric yet.</summary>
    public virtual DrainOperation GetDrain(string id) => new(this, Connection.Options, FabricNames.Require(id, "operation"), started: null);

    /// <summary>The recorded result of a drain, or null while it goes on.</summary>
    public virtual Task<DrainResult?> FindDrainResultAsync(string id, CancellationToken cancellationToken = default)
    {
        FabricNames.Require(id, "operation");
        return Connection.CallCatalogAsync(catalog => catalog.FindDrainResultAsync(id, cancellationToken), cancellationToken);
    }

    internal async IAsyncEnumerable<DrainProgress> WatchDrainAsync(string id, long afterSequence, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var cluster = await Connection.GetAsync(cancellationToken).ConfigureAwait(false);
        var reports = cluster.GetGrain<IDrainGrain>(id).WatchAsync(afterSequence, cancellationToken).WithBatchSize(1);
        await foreach (var report in reports.WithCancellation(cancellationToken).ConfigureAwait(false)) yield return report;
    }

    internal Task<DrainProgress> GetDrainProgressAsync(string id, CancellationToken cancellationToken) =>
        Connection.CallAsync(grains => grains.GetGrain<IDrainGrain>(id).GetAsync(cancellationToken), cancellationToken);

    internal Task CancelDrainAsync(string id, CancellationToken cancellationToken) =>
        Connection.CallAsync(
            async grains =>
            {
                await grains.GetGrain<IDrainGrain>(id).CancelAsync(cancellationToken).ConfigureAwait(false);
                return true;
            },
            cancellationToken);

    private Task<HostInfo> CordonAsync(string host, bool isCordoned, CancellationToken cancellationToken)
    {
        FabricNames.Require(host, "host");
        return Connection.CallCatalogAsync(catalog => catalog.CordonAsync(host, isCordoned, cancellationToken), cancellationToken);
    }
}
