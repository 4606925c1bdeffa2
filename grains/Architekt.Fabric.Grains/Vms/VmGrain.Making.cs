namespace Architekt.Fabric.Grains;

/// <content>VMs that live only for a package to be made of them.</content>
internal sealed partial class VmGrain
{
    private static readonly TimeSpan ShortestBoot = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestBoot = TimeSpan.FromDays(1);

    public async Task<OperationInfo> MakePackageAsync(PackageMaking request, CancellationToken cancellationToken)
    {
        RequireOperationId(request.Operation, "checkpoint");
        FabricNames.Require(request.Package, "package");
        if (!Name.StartsWith(FabricNames.MakingPrefix, StringComparison.Ordinal))
            throw FabricException.Invalid($"'{Name}' is no name for a VM that lives only for a package: it must begin with '{FabricNames.MakingPrefix}'.");
        if (request.TimeoutMs < ShortestBoot.TotalMilliseconds || request.TimeoutMs > LongestBoot.TotalMilliseconds)
            throw FabricException.Invalid("The time a guest may take to come up must be 1 second to 1 day.");
        var operation = await operations.FindAsync(request.Operation, cancellationToken) ?? await BeginAsync(request, cancellationToken);
        RequireOurs(operation, OperationKinds.Checkpoint);
        if (operation.Outcome == OperationOutcome.Running)
            await GrainFactory.GetGrain<ICheckpointGrain>(operation.Id).StartAsync(cancellationToken);

        // Nobody talks to such a VM, and nobody would end its grain when the VM is gone.
        DeactivateOnIdle();
        return operation;
    }

    private async Task<OperationInfo> BeginAsync(PackageMaking request, CancellationToken cancellationToken)
    {
        var vm = await DescribeAsync(request.Spec, cancellationToken);
        await Commands.RequireFreeAsync(request.Package, vm.Info.Host, cancellationToken);
        await vms.CreateAsync(vm, cancellationToken);
        try
        {
            var plan = new CheckpointPlan(
                request.Operation, Name, vm.Info.Host, vm.Info.Epoch, vm.Machine, request.Package, KeepRunning: false, time.GetUtcNow(),
                new TemporaryStart(StartOf(request.Spec, vm.Machine), request.TimeoutMs));
            return await operations.BeginCheckpointAsync(plan, cancellationToken);
        }
        catch
        {
            // Whatever becomes of this, the reconciler finds a VM of that name which nobody makes a package of.
            await vms.DeleteAsync(Name, vm.Info.Epoch, CancellationToken.None);
            throw;
        }
    }
}
