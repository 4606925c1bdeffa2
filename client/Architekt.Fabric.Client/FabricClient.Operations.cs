using System.Runtime.CompilerServices;
using Architekt.Fabric.Client.Connection;
using Architekt.Fabric.Client.Migrations;

namespace Architekt.Fabric.Client;

public partial class FabricClient
{
    /// <summary>Starts moving a VM to another host, while it runs or with it stopped. Returns when the fabric has accepted it.</summary>
    /// <param name="vm">The VM.</param>
    /// <param name="destination">The host to move to.</param>
    /// <param name="options">How; null takes the defaults.</param>
    /// <param name="operationId">
    /// Id of the operation, a name after <see cref="FabricNames.IsValid"/>: asking again with the same id gives the same migration. Null makes one up.
    /// </param>
    /// <param name="cancellationToken">Ends the call, not the migration.</param>
    public virtual async Task<MigrationOperation> StartMigrationAsync(
        string vm,
        string destination,
        MigrationOptions? options = null,
        string? operationId = null,
        CancellationToken cancellationToken = default)
    {
        FabricNames.Require(destination, "host");
        options ??= new MigrationOptions();
        options.Validate();
        var request = new MigrationRequest(
            operationId is null ? OperationId.Create() : FabricNames.Require(operationId, "operation"), destination, options);

        var started = await RepeatAsync(
            () => Connection.CallVmAsync(vm, grain => grain.MigrateAsync(request, cancellationToken), cancellationToken), cancellationToken).ConfigureAwait(false);
        return new MigrationOperation(this, Connection.Options, started.Id, started);
    }

    /// <summary>A handle on a migration that was started earlier, by anyone. Nothing is asked of the fabric yet.</summary>
    public virtual MigrationOperation GetOperation(string id) =>
        new(this, Connection.Options, FabricNames.Require(id, "operation"), started: null);

    /// <summary>What the fabric has recorded of an operation, or null if there is none of that id.</summary>
    public virtual Task<OperationInfo?> FindOperationAsync(string id, CancellationToken cancellationToken = default)
    {
        FabricNames.Require(id, "operation");
        return Connection.CallCatalogAsync(catalog => catalog.FindOperationAsync(id, cancellationToken), cancellationToken);
    }

    /// <summary>The recorded result of a migration, or null while it goes on.</summary>
    public virtual Task<MigrationResult?> FindMigrationResultAsync(string id, CancellationToken cancellationToken = default)
    {
        FabricNames.Require(id, "operation");
        return Connection.CallCatalogAsync(catalog => catalog.FindMigrationResultAsync(id, cancellationToken), cancellationToken);
    }

    /// <summary>Operations, newest first.</summary>
    /// <param name="vm">Only those of this VM; null for all.</param>
    /// <param name="limit">At most this many, 1 to 1000.</param>
    /// <param name="onlyRunning">Only those that have not ended.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public virtual Task<IReadOnlyList<OperationInfo>> ListOperationsAsync(
        string? vm = null, int limit = 50, bool onlyRunning = false, CancellationToken cancellationToken = default)
    {
        if (vm is not null) FabricNames.Require(vm, "VM");
        if (limit is < 1 or > 1000) throw FabricException.Invalid("The number of operations to list must be 1 to 1000.");
        return Connection.CallCatalogAsync(catalog => catalog.ListOperationsAsync(vm, limit, onlyRunning, cancellationToken), cancellationToken);
    }

    internal async IAsyncEnumerable<MigrationProgress> WatchGrainAsync(
        string id, long afterSequence, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var cluster = await Connection.GetAsync(cancellationToken).ConfigureAwait(false);
        // One report at a time: a batch would hold back what a progress bar wants to show now.
        var reports = cluster.GetGrain<IMigrationGrain>(id).WatchAsync(afterSequence, cancellationToken).WithBatchSize(1);
        await foreach (var report in reports.WithCancellation(cancellationToken).ConfigureAwait(false)) yield return report;
    }

    internal Task<MigrationProgress> GetProgressAsync(string id, CancellationToken cancellationToken) =>
        Connection.CallAsync(grains => grains.GetGrain<IMigrationGrain>(id).GetAsync(cancellationToken), cancellationToken);

    internal Task CancelOperationAsync(string id, CancellationToken cancellationToken) =>
        Connection.CallAsync(
            async grains =>
            {
                await grains.GetGrain<IMigrationGrain>(id).CancelAsync(cancellationToken).ConfigureAwait(false);
                return true;
            },
            cancellationToken);

    internal FabricException Translate(Exception error) =>
        FabricErrors.Translate(error, Connection.DescribeGateways(), Connection.Options.CallTimeout);
}
