using Architekt.Fabric.Client.Migrations;

namespace Architekt.Fabric.Client;

public partial class FabricClient
{
    private static readonly TimeSpan _longestTimeout = TimeSpan.FromDays(1);
    private static readonly TimeSpan _givingUp = TimeSpan.FromSeconds(30);

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
    /// Starts making a package with memory from a blueprint: it is booted in a VM of its own, written down once the guest says that it is up, and the VM is removed. Returns when the fabric
    /// has accepted it, and it goes on whether or not anybody waits.
    /// </summary>
    /// <param name="recipe">What to make, and from what.</param>
    /// <param name="operationId">As for <see cref="CheckpointVmAsync"/>; null makes one up.</param>
    /// <param name="cancellationToken">Ends the call, not the making.</param>
    /// <exception cref="FabricException">As for <see cref="RunVmAsync"/>, and <see cref="FabricErrorCode.AlreadyExists"/>: the package's name is taken.</exception>
    public virtual async Task<CheckpointOperation> StartPackageAsync(
        PackageRecipe recipe, string? operationId = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        FabricNames.Require(recipe.Name, "package");
        if (recipe.Timeout < TimeSpan.FromSeconds(1) || recipe.Timeout > _longestTimeout)
            throw FabricException.Invalid("The time a guest may take to come up must be 1 second to 1 day.");
        var operation = operationId is null ? OperationId.Create() : FabricNames.Require(operationId, "operation");
        var spec = recipe.ToSpec(operation);
        FabricNames.Require(spec.Name, "VM");
        await PullIfMissingAsync(spec, cancellationToken).ConfigureAwait(false);
        var request = new PackageMaking(operation, recipe.Name, spec, (int)recipe.Timeout.TotalMilliseconds);
        var started = await RepeatAsync(
            () => Connection.CallVmAsync(spec.Name, grain => grain.MakePackageAsync(request, cancellationToken), cancellationToken), cancellationToken).ConfigureAwait(false);
        return new CheckpointOperation(this, Connection.Options, started.Id, started);
    }

    /// <summary>Makes a package as <see cref="StartPackageAsync"/> does and waits for it. One that failed is a result, with the end of the guest's console, not an exception.</summary>
    /// <param name="recipe">What to make, and from what.</param>
    /// <param name="cancellationToken">Gives it up; nothing is left.</param>
    /// <exception cref="FabricException">As for <see cref="StartPackageAsync"/>.</exception>
    public virtual async Task<CheckpointResult> CreatePackageAsync(PackageRecipe recipe, CancellationToken cancellationToken = default)
    {
        var operation = OperationId.Create();
        try
        {
            var making = await StartPackageAsync(recipe, operation, cancellationToken).ConfigureAwait(false);
            return await making.WaitForCompletionAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await GiveUpAsync(GetCheckpoint(operation)).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Not to be cut short by what ended the waiting.</summary>
    private static async Task GiveUpAsync(CheckpointOperation making)
    {
        using var deadline = new CancellationTokenSource(_givingUp);
        try
        {
            await making.CancelAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (FabricException error) when (error.Code is FabricErrorCode.Conflict or FabricErrorCode.NotFound)
        {
            // It has ended, or it never began.
        }
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
