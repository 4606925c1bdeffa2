using System.Text;
using Architekt.Fabric.Client.Migrations;

namespace Architekt.Fabric.Client.Checkpoints;

/// <summary>Makes a package by way of a VM that lives only for it. Whatever happens, that VM is gone afterwards.</summary>
internal sealed class PackageMaker(FabricClient client, PackageRecipe recipe)
{
    private const int ConsoleBytes = 4096;
    private const int ConsoleLines = 10;
    private static readonly TimeSpan _cleaningTime = TimeSpan.FromSeconds(30);
    private readonly string _vm = $"making-{OperationId.Create()["op-".Length..]}";
    private CheckpointOperation? _checkpoint;

    public async Task<CheckpointResult> RunAsync(CancellationToken cancellationToken)
    {
        CheckpointResult result;
        try
        {
            result = await MakeAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            await CleanAsync(error).ConfigureAwait(false);
            throw;
        }

        await CleanAsync(cause: null).ConfigureAwait(false);
        return result;
    }

    private async Task<CheckpointResult> MakeAsync(CancellationToken cancellationToken)
    {
        var vm = await client.RunVmAsync(Spec(), cancellationToken).ConfigureAwait(false);
        if (await client.FindPackageAsync(vm.Host, recipe.Name, cancellationToken).ConfigureAwait(false) is { } taken && taken.Name == recipe.Name)
        {
            throw new FabricException(
                FabricErrorCode.AlreadyExists, $"There is a package '{recipe.Name}' on '{vm.Host}' already ({taken.Digest}); choose another name.");
        }

        await WaitUntilUpAsync(cancellationToken).ConfigureAwait(false);
        _checkpoint = await client.CheckpointVmAsync(_vm, recipe.Name, keepRunning: false, operationId: null, cancellationToken).ConfigureAwait(false);
        var result = await _checkpoint.WaitForCompletionAsync(cancellationToken).ConfigureAwait(false);
        _checkpoint = null;
        return result;
    }

    private VmSpec Spec() => new(
        _vm,
        recipe.Blueprint,
        recipe.Host,
        recipe.Vcpus,
        recipe.MemoryBytes,
        KernelArguments: recipe.KernelArguments,
        HasNetwork: recipe.HasNetwork,
        Address: recipe.Address,
        Gateway: recipe.Gateway,
        // All of it is about to be read.
        Fill: FillMode.Now);

    private async Task WaitUntilUpAsync(CancellationToken cancellationToken)
    {
        try
        {
            await client.WaitForVmAsync(_vm, VmState.Running, recipe.Timeout, cancellationToken).ConfigureAwait(false);
        }
        catch (FabricException error) when (error.Code is FabricErrorCode.Timeout or FabricErrorCode.Failed)
        {
            var what = error.Code == FabricErrorCode.Timeout
                ? $"did not say within {recipe.Timeout.TotalSeconds:0.###} seconds that it is up"
                : "ended before it was up";
            throw new FabricException(
                error.Code,
                $"Package '{recipe.Name}' was not made: the guest of '{recipe.Blueprint}' {what}. Its console ended with: {await LastWordsAsync(cancellationToken).ConfigureAwait(false)}",
                isTransient: false,
                error);
        }
    }

    private async Task<string> LastWordsAsync(CancellationToken cancellationToken)
    {
        try
        {
            var log = await client.ReadLogAsync(_vm, -ConsoleBytes, default, cancellationToken).ConfigureAwait(false);
            var lines = Encoding.UTF8.GetString(log.Data).Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return lines.Length == 0 ? "nothing" : string.Join(" | ", lines.TakeLast(ConsoleLines));
        }
        catch (FabricException error)
        {
            return $"it could not be read ({error.Message})";
        }
    }

    /// <summary>Not to be cut short by what ended the making: nobody else knows of this VM.</summary>
    private async Task CleanAsync(Exception? cause)
    {
        using var deadline = new CancellationTokenSource(_cleaningTime);
        try
        {
            if (_checkpoint is not null) await CancelAsync(_checkpoint, deadline.Token).ConfigureAwait(false);
            await client.DeleteVmAsync(_vm, force: true, deadline.Token).ConfigureAwait(false);
        }
        catch (FabricException error) when (error.Code == FabricErrorCode.NotFound)
        {
            // It never came to be.
        }
        catch (Exception error) when (error is FabricException or OperationCanceledException)
        {
            throw new FabricException(
                cause is FabricException { Code: var code } ? code : FabricErrorCode.Failed,
                $"{cause?.Message} The VM '{_vm}', which was only there to make package '{recipe.Name}', could not be removed: {error.Message} Delete it with force.".TrimStart(),
                isTransient: false,
                cause ?? error);
        }
    }

    private static async Task CancelAsync(CheckpointOperation checkpoint, CancellationToken cancellationToken)
    {
        try
        {
            await checkpoint.CancelAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (FabricException error) when (error.Code == FabricErrorCode.Conflict)
        {
            // It has ended, as it should have by now.
        }
    }
}
