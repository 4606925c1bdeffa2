using Orleans.Placement;

namespace Architekt.Fabric.Grains;

/// <summary>A VM's grain. It keeps nothing in memory: the row in Postgres is the truth, and every act carries its epoch.</summary>
[GrainType(PinnedGrainTypes.Vm)]
[HostPinned, KeepAlive, Immovable]
internal sealed class VmGrain(
    HostLocator locator, IVmStore vms, IOperationStore operations, VmPlacer placer, PackageEnsurer packages, TimeProvider time) : PinnedGrain(locator), IVmGrain
{
    // Within the time that a call to run a VM may take; a longer pull goes on, and the next call joins it.
    private static readonly TimeSpan LongestPull = TimeSpan.FromSeconds(45);

    private string Name => this.GetPrimaryKeyString();

    public async Task<VmInfo> RunAsync(VmSpec spec, CancellationToken cancellationToken)
    {
        FabricNames.Require(Name, "VM");
        if (spec.Name != Name) throw FabricException.Invalid($"The specification is for '{spec.Name}', not for '{Name}'.");
        if (await vms.FindAsync(Name, cancellationToken) is { } existing)
        {
            throw new FabricException(
                FabricErrorCode.AlreadyExists,
                $"There is a VM '{Name}' already, {existing.Info.State.ToString().ToLowerInvariant()} on '{existing.Info.Host}'; choose another name or delete it first.");
        }

        var host = await placer.ChooseAsync(spec, cancellationToken);
        var control = GrainFactory.GetGrain<IHostControl>(host);
        await packages.EnsureAsync(host, spec.Package, name: null, LongestPull, cancellationToken);
        var machine = await control.DescribeMachineAsync(spec, cancellationToken);
        var now = time.GetUtcNow();
        var info = new VmInfo(
            Name, VmState.Starting, null, host, 1, machine.Package, machine.PackageDigest, machine.Vcpus, machine.MemoryBytes, machine.Mac, null, now, now);
        await vms.CreateAsync(new VmRecord(info, machine), cancellationToken);
        try
        {
            await control.StartAsync(new VmInstance(Name, info.Epoch, machine), cancellationToken);
        }
        catch (FabricException error) when (error.Code != FabricErrorCode.Unavailable)
        {
            // The host says nothing was started, so the name is free again. If it cannot be reached, nobody knows: the row stays.
            await vms.DeleteAsync(Name, info.Epoch, CancellationToken.None);
            throw;
        }

        await vms.SetStateAsync(Name, info.Epoch, VmState.Booting, null, $"'{Name}' was started on '{host}'", CancellationToken.None);
        if (host != Locator.LocalHost) MigrateOnIdle();
        return (await RequireAsync(cancellationToken)).Info;
    }

    public async Task<VmInfo> GetAsync(CancellationToken cancellationToken) => (await RequireAsync(cancellationToken)).Info;

    public async Task<VmInfo> StopAsync(bool force, CancellationToken cancellationToken)
    {
        var vm = await RequireAsync(cancellationToken);
        await RefuseDuringOperationAsync(vm, cancellationToken);
        if (vm.Info.State is VmState.Stopped or VmState.Failed) return vm.Info;
        await vms.SetStateAsync(Name, vm.Info.Epoch, VmState.Stopping, null, $"'{Name}' was asked to stop", cancellationToken);
        await Control(vm).StopAsync(Name, vm.Info.Epoch, force, cancellationToken);
        return (await RequireAsync(cancellationToken)).Info;
    }

    public async Task DeleteAsync(bool force, CancellationToken cancellationToken)
    {
        var vm = await RequireAsync(cancellationToken);
        await RefuseDuringOperationAsync(vm, cancellationToken);
        if (vm.Info.State is not (VmState.Stopped or VmState.Failed))
        {
            if (!force)
            {
                throw FabricException.Conflict(
                    $"'{Name}' is {vm.Info.State.ToString().ToLowerInvariant()} on '{vm.Info.Host}': stop it first, or force the deletion.");
            }

            await Control(vm).StopAsync(Name, vm.Info.Epoch, force: true, cancellationToken);
        }

        await Control(vm).RemoveAsync(Name, vm.Info.Epoch, cancellationToken);
        if (!await vms.DeleteAsync(Name, vm.Info.Epoch, cancellationToken))
            throw FabricException.Conflict($"'{Name}' changed hands while it was being deleted; look at it again.");
        DeactivateOnIdle();
    }

    public async Task<OperationInfo> MigrateAsync(MigrationRequest request, CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(request.Operation) || request.Operation.Length > 64)
            throw FabricException.Invalid("A migration needs an operation id of 1 to 64 characters.");
        request.Options.Validate();
        var operation = await operations.FindAsync(request.Operation, cancellationToken)
            ?? await operations.BeginAsync(await PlanAsync(request, cancellationToken), cancellationToken);
        if (operation.Vm != Name)
            throw FabricException.Conflict($"Operation '{operation.Id}' is about '{operation.Vm}', not about '{Name}'.");
        if (operation.Outcome == OperationOutcome.Running)
            await GrainFactory.GetGrain<IMigrationGrain>(operation.Id).StartAsync(cancellationToken);
        return operation;
    }

    public async Task<VmLog> ReadLogAsync(long offset, int waitMs, CancellationToken cancellationToken)
    {
        var vm = await RequireAsync(cancellationToken);
        return await Control(vm).ReadLogAsync(Name, vm.Info.Epoch, offset, Math.Clamp(waitMs, 0, 10_000), cancellationToken);
    }

    public async Task WriteConsoleAsync(byte[] data, CancellationToken cancellationToken)
    {
        var vm = await RequireAsync(cancellationToken);
        await Control(vm).WriteConsoleAsync(Name, vm.Info.Epoch, data, cancellationToken);
    }

    public Task<string> WhereAsync(CancellationToken cancellationToken) => Task.FromResult(Locator.LocalHost);

    private async Task<MigrationPlan> PlanAsync(MigrationRequest request, CancellationToken cancellationToken)
    {
        var vm = await RequireAsync(cancellationToken);
        if (vm.Info.State is not (VmState.Running or VmState.Booting))
            throw FabricException.Conflict($"'{Name}' is {vm.Info.State.ToString().ToLowerInvariant()}: only a running VM can be migrated live.");
        if (vm.Info.Host == request.Destination)
            throw FabricException.Conflict($"'{Name}' runs on '{request.Destination}' already.");
        await placer.RequireReadyAsync(request.Destination, cancellationToken);
        return new MigrationPlan(
            request.Operation, Name, vm.Info.Host, request.Destination, vm.Info.Epoch, vm.Machine, request.Options, time.GetUtcNow());
    }

    private async Task RefuseDuringOperationAsync(VmRecord vm, CancellationToken cancellationToken)
    {
        // The commit gives the reservation up, yet the migration is under way until it has ended.
        var newest = await operations.ListAsync(Name, limit: 1, cancellationToken);
        var running = newest is [{ Outcome: OperationOutcome.Running } latest] ? latest.Id : null;
        if ((vm.Info.Operation ?? running) is { } operation)
            throw FabricException.Conflict($"'{Name}' is being migrated (operation {operation}): wait for its end or cancel it.");
    }

    private IHostControl Control(VmRecord vm) => GrainFactory.GetGrain<IHostControl>(vm.Info.Host);

    private async Task<VmRecord> RequireAsync(CancellationToken cancellationToken) =>
        await vms.FindAsync(Name, cancellationToken) ?? throw FabricException.NotFound($"There is no VM '{Name}'.");
}
