namespace Architekt.Fabric.Grains;

/// <content>What takes longer than a call: it is recorded, and a grain of its own does it.</content>
internal sealed partial class VmGrain
{
    private const int LongestOperationId = 64;

    public async Task<OperationInfo> MigrateAsync(MigrationRequest request, CancellationToken cancellationToken)
    {
        RequireOperationId(request.Operation, "migration");
        request.Options.Validate();
        var operation = await operations.FindAsync(request.Operation, cancellationToken)
            ?? await operations.BeginAsync(await PlanAsync(request, cancellationToken), cancellationToken);
        RequireOurs(operation, OperationKinds.Migrate);
        if (operation.Outcome == OperationOutcome.Running)
            await GrainFactory.GetGrain<IMigrationGrain>(operation.Id).StartAsync(cancellationToken);
        return operation;
    }

    public async Task<OperationInfo> CheckpointAsync(CheckpointRequest request, CancellationToken cancellationToken)
    {
        RequireOperationId(request.Operation, "checkpoint");
        FabricNames.Require(request.Package, "package");
        var operation = await operations.FindAsync(request.Operation, cancellationToken)
            ?? await operations.BeginCheckpointAsync(await PlanAsync(request, cancellationToken), cancellationToken);
        RequireOurs(operation, OperationKinds.Checkpoint);
        if (operation.Outcome == OperationOutcome.Running)
            await GrainFactory.GetGrain<ICheckpointGrain>(operation.Id).StartAsync(cancellationToken);
        return operation;
    }

    private async Task<MigrationPlan> PlanAsync(MigrationRequest request, CancellationToken cancellationToken)
    {
        var vm = await RequireAsync(cancellationToken);
        if (vm.Info.State is not (VmState.Running or VmState.Booting) && !vm.Info.HasEnded())
            throw FabricException.Conflict($"'{Name}' is {Word(vm)}: only a VM that runs or has stopped can be migrated.");
        if (vm.Info.Host == request.Destination)
            throw FabricException.Conflict($"'{Name}' is on '{request.Destination}' already.");
        await placer.RequireOpenAsync(request.Destination, cancellationToken);
        return new MigrationPlan(
            request.Operation, Name, vm.Info.Host, request.Destination, vm.Info.Epoch, vm.Machine, request.Options, time.GetUtcNow(), vm.Info.HasEnded());
    }

    private async Task<CheckpointPlan> PlanAsync(CheckpointRequest request, CancellationToken cancellationToken)
    {
        var vm = await RequireAsync(cancellationToken);
        if (vm.Info.State != VmState.Running)
            throw FabricException.Conflict($"'{Name}' is {Word(vm)}: only a VM that runs, and has said that it is up, can be made a package of.");
        await RequireFreeAsync(request.Package, vm.Info.Host, cancellationToken);
        return new CheckpointPlan(
            request.Operation, Name, vm.Info.Host, vm.Info.Epoch, vm.Machine, request.Package, request.KeepRunning, time.GetUtcNow());
    }

    private async Task RequireFreeAsync(string package, string host, CancellationToken cancellationToken)
    {
        if (await GrainFactory.GetGrain<IHostControl>(host).FindPackageAsync(package, cancellationToken) is not { } taken || taken.Name != package) return;
        throw new FabricException(
            FabricErrorCode.AlreadyExists, $"There is a package '{package}' on '{host}' already ({taken.Digest}); choose another name.");
    }

    private void RequireOurs(OperationInfo operation, string kind)
    {
        if (operation.Vm != Name)
            throw FabricException.Conflict($"Operation '{operation.Id}' is about '{operation.Vm}', not about '{Name}'.");
        if (operation.Kind != kind)
            throw FabricException.Conflict($"Operation '{operation.Id}' is a {operation.Kind}, not a {kind}.");
    }

    private static void RequireOperationId(string id, string what)
    {
        if (string.IsNullOrWhiteSpace(id) || id.Length > LongestOperationId)
            throw FabricException.Invalid($"A {what} needs an operation id of 1 to {LongestOperationId} characters.");
    }

    private async Task RefuseDuringOperationAsync(VmRecord vm, CancellationToken cancellationToken)
    {
        // The commit of a migration gives the reservation up, yet it is under way until it has ended.
        var newest = await operations.ListAsync(Name, limit: 1, cancellationToken);
        var running = newest is [{ Outcome: OperationOutcome.Running } latest] ? latest : null;
        if (running is { Kind: OperationKinds.Checkpoint })
            throw FabricException.Conflict($"A package is being made of '{Name}' (operation {running.Id}): wait for its end or cancel it.");
        if ((vm.Info.Operation ?? running?.Id) is { } operation)
            throw FabricException.Conflict($"'{Name}' is being migrated (operation {operation}): wait for its end or cancel it.");
    }
}
