using Architekt.Fabric.Client.Checkpoints;
using Architekt.Fabric.Client.Migrations;

namespace Architekt.Fabric.Client;

public partial class FabricClient
{
    private static readonly TimeSpan _longestTimeout = TimeSpan.FromDays(1);

    /// <summary>Starts making a package of a running VM on its host. Returns when the fabric has accepted it.</summary>
    /// <param name="vm">The VM.</param>
    /// <param name="package">Name of the package; must be free on the VM's host.</param>
    /// <param name="keepRunning">Whether the guest goes on afterwards; otherwise the VM is stopped.</param>
    /// <param name="operationId">
    /// Id of the operation, a name after <see cref="FabricNames.IsValid"/>: asking again with the same id gives the same checkpoint. Null makes one up.
    /// </param>
    /// <param name="cancellationToken">Ends the call, not the checkpoint.</param>
    public virtual async Task<CheckpointOperation> CheckpointVmAsync(
        string vm, string package, bool keepRunning = true, string? operationId = null, CancellationToken cancellationToken = default)
    {
        FabricNames.Require(package, "package");
        var request = new CheckpointRequest(operationId is null ? OperationId.Create() : FabricNames.Require(operationId, "operation"), package, keepRunning);
        var started = await RepeatAsync(
            () => Connection.CallVmAsync(vm, grain => grain.CheckpointAsync(request, cancellationToken), cancellationToken), cancellationToken).ConfigureAwait(false);
        return new CheckpointOperation(this, Connection.Options, started.Id, started);
    }

    /// <summary>
    /// Makes a package with memory from a blueprint: boots it in a VM of its own, waits until the guest says that it is up, writes it down, and removes the VM. A
    /// checkpoint that failed is a result, not an exception.
    /// </summary>
    /// <param name="recipe">What to make, and from what.</param>
    /// <param name="cancellationToken">Gives it up; nothing is left.</param>
    /// <exception cref="FabricException">
    /// <see cref="FabricErrorCode.Timeout"/> or <see cref="FabricErrorCode.Failed"/>, with the end of its console: the guest did not come up. Otherwise as for
    /// <see cref="RunVmAsync"/> and <see cref="CheckpointVmAsync"/>.
    /// </exception>
    public virtual Task<CheckpointResult> CreatePackageAsync(PackageRecipe recipe, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        FabricNames.Require(recipe.Name, "package");
        if (recipe.Timeout < TimeSpan.FromSeconds(1) || recipe.Timeout > _longestTimeout)
            throw FabricException.Invalid("The time a guest may take to come up must be 1 second to 1 day.");
        return new PackageMaker(this, recipe).RunAsync(cancellationToken);
    }

    /// <summary>A handle on a checkpoint that was started earlier, by anyone. Nothing is asked of the fabric yet.</summary>
    public virtual CheckpointOperation GetCheckpoint(string id) =>
        new(this, Connection.Options, FabricNames.Require(id, "operation"), started: null);

    /// <summary>The recorded result of a checkpoint, or null while it goes on.</summary>
    public virtual Task<CheckpointResult?> FindCheckpointResultAsync(string id, CancellationToken cancellationToken = default)
    {
        FabricNames.Require(id, "operation");
        return Connection.CallCatalogAsync(catalog => catalog.FindCheckpointResultAsync(id, cancellationToken), cancellationToken);
    }

    internal Task<CheckpointResult?> WaitForCheckpointAsync(string id, TimeSpan wait, CancellationToken cancellationToken) =>
        Connection.CallAsync(
            grains => grains.GetGrain<ICheckpointGrain>(id).WaitAsync((int)wait.TotalMilliseconds, cancellationToken), cancellationToken);

    internal Task CancelCheckpointAsync(string id, CancellationToken cancellationToken) =>
        Connection.CallAsync(
            async grains =>
            {
                await grains.GetGrain<ICheckpointGrain>(id).CancelAsync(cancellationToken).ConfigureAwait(false);
                return true;
            },
            cancellationToken);

    /// <summary>A request with an id can be repeated without harm, so an unknown outcome need not be the caller's problem.</summary>
    private async Task<OperationInfo> RepeatAsync(Func<Task<OperationInfo>> request, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await request().ConfigureAwait(false);
            }
            catch (FabricException error) when (error.IsTransient && attempt < 3)
            {
                await Task.Delay(Connection.Options.RetryDelay * attempt, Connection.Options.TimeProvider, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
