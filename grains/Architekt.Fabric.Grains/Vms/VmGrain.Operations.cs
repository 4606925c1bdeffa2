namespace Architekt.Fabric.Grains;

/// <content>What takes longer than a call: it is recorded, and a grain of its own does it.</content>
internal sealed partial class VmGrain
{
    private const int LongestOperationId = 64;

    public async Task<OperationInfo> MigrateAsync(MigrationRequest request, CancellationToken cancellationToken)
    {
        RequireOperationId(request.Operation, "migration");
        request.Options.Validate();
        var operation = await operations.FindAsync(request.Operation, cancellationToken);
        if (operation is null)
        {
            var plan = await Commands.PlanAsync(request, cancellationToken);
            await placer.RequireOpenAsync(request.Destination, cancellationToken);
            operation = await operations.BeginAsync(plan, cancellationToken);
        }

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
            ?? await operations.BeginCheckpointAsync(await Commands.PlanAsync(request, cancellationToken), cancellationToken);
        RequireOurs(operation, OperationKinds.Checkpoint);
        if (operation.Outcome == OperationOutcome.Running)
            await GrainFactory.GetGrain<ICheckpointGrain>(operation.Id).StartAsync(cancellationToken);
        return operation;
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
}
