namespace Architekt.Fabric.Grains;

/// <summary>
/// What can be done with one VM, and when it cannot: plain code without Orleans. That nobody else does something with it at the same time is likely but never relied on: the row decides.
/// </summary>
internal sealed class VmCommands(
    string name, Func<string, IHostControl> hosts, IVmStore vms, IOwnershipStore ownership, IOperationStore operations, TimeProvider time)
{
    public static string Word(VmRecord vm) => vm.Info.State.ToString().ToLowerInvariant();

    public async Task<VmInfo> StartAsync(CancellationToken cancellationToken)
    {
        var vm = await RequireAsync(cancellationToken);
        await RefuseDuringOperationAsync(vm, cancellationToken);
        if (vm.Info.State is VmState.Starting or VmState.Booting or VmState.Running) return vm.Info;
        RefuseLost(vm);
        if (!vm.Info.HasEnded()) throw FabricException.Conflict($"'{name}' is {Word(vm)} on '{vm.Info.Host}': wait until it has stopped.");

        await SetStateAsync(vm, VmState.Starting, null, cancellationToken);
        try
        {
            await hosts(vm.Info.Host).StartAsync(new VmInstance(name, vm.Info.Epoch, vm.Machine, new VmStart(StartKind.BootAgain)), cancellationToken);
        }
        catch (FabricException error) when (error.Code != FabricErrorCode.Unavailable)
        {
            await vms.SetStateAsync(name, vm.Info.Epoch, vm.Info.State, error.Message, $"'{name}' could not be started: {error.Message}", CancellationToken.None);
            throw;
        }

        await vms.SetStateAsync(name, vm.Info.Epoch, VmState.Booting, null, $"'{name}' was started on '{vm.Info.Host}'", CancellationToken.None);
        return (await RequireAsync(cancellationToken)).Info;
    }

    public async Task<VmInfo> StopAsync(bool force, CancellationToken cancellationToken)
    {
        var vm = await RequireAsync(cancellationToken);
        await RefuseDuringOperationAsync(vm, cancellationToken);
        if (vm.Info.HasEnded()) return vm.Info;
        if (vm.Info.State == VmState.Lost)
        {
            // It does not run; from now on nobody starts it either.
            if (!await ownership.StopLostAsync(name, vm.Info.Epoch, cancellationToken)) throw ChangedHands(vm);
            return vm.Info;
        }

        await SetStateAsync(vm, VmState.Stopping, $"'{name}' was asked to stop", cancellationToken);
        await hosts(vm.Info.Host).StopAsync(name, vm.Info.Epoch, force, cancellationToken);
        return (await RequireAsync(cancellationToken)).Info;
    }

    /// <summary>What a migration that is asked for has to do.</summary>
    public async Task<MigrationPlan> PlanAsync(MigrationRequest request, CancellationToken cancellationToken)
    {
        var vm = await RequireAsync(cancellationToken);
        if (vm.Info.State is not (VmState.Running or VmState.Booting) && !vm.Info.HasEnded())
            throw FabricException.Conflict($"'{name}' is {Word(vm)}: only a VM that runs or has stopped can be migrated.");
        if (vm.Info.Host == request.Destination)
            throw FabricException.Conflict($"'{name}' is on '{request.Destination}' already.");
        return new MigrationPlan(
            request.Operation, name, vm.Info.Host, request.Destination, vm.Info.Epoch, vm.Machine, request.Options, time.GetUtcNow(), vm.Info.HasEnded());
    }

    /// <summary>What a checkpoint that is asked for has to do.</summary>
    public async Task<CheckpointPlan> PlanAsync(CheckpointRequest request, CancellationToken cancellationToken)
    {
        var vm = await RequireAsync(cancellationToken);
        if (vm.Info.State != VmState.Running)
            throw FabricException.Conflict($"'{name}' is {Word(vm)}: only a VM that runs, and has said that it is up, can be made a package of.");
        await RequireFreeAsync(request.Package, vm.Info.Host, cancellationToken);
        return new CheckpointPlan(
            request.Operation, name, vm.Info.Host, vm.Info.Epoch, vm.Machine, request.Package, request.KeepRunning, time.GetUtcNow());
    }

    public async Task RequireFreeAsync(string package, string host, CancellationToken cancellationToken)
    {
        if (await hosts(host).FindPackageAsync(package, cancellationToken) is not { } taken || taken.Name != package) return;
        throw new FabricException(
            FabricErrorCode.AlreadyExists, $"There is a package '{package}' on '{host}' already ({taken.Digest}); choose another name.");
    }

    public async Task RefuseDuringOperationAsync(VmRecord vm, CancellationToken cancellationToken)
    {
        // The commit of a migration gives the reservation up, yet it is under way until it has ended.
        var newest = await operations.ListAsync(name, limit: 1, cancellationToken);
        var running = newest is [{ Outcome: OperationOutcome.Running } latest] ? latest : null;
        if (running is { Kind: OperationKinds.Checkpoint })
            throw FabricException.Conflict($"A package is being made of '{name}' (operation {running.Id}): wait for its end or cancel it.");
        if ((vm.Info.Operation ?? running?.Id) is { } operation)
            throw FabricException.Conflict($"'{name}' is being migrated (operation {operation}): wait for its end or cancel it.");
    }

    public async Task<VmRecord> RequireAsync(CancellationToken cancellationToken) =>
        await vms.FindAsync(name, cancellationToken) ?? throw FabricException.NotFound($"There is no VM '{name}'.");

    private async Task SetStateAsync(VmRecord vm, VmState state, string? message, CancellationToken cancellationToken)
    {
        if (!await vms.SetStateAsync(name, vm.Info.Epoch, state, null, message, cancellationToken))
            throw ChangedHands(vm);
    }

    private FabricException ChangedHands(VmRecord vm) =>
        FabricException.StaleEpoch($"'{name}' has changed hands since it was looked at (epoch {vm.Info.Epoch}); ask again.");

    private void RefuseLost(VmRecord vm)
    {
        if (vm.Info.State == VmState.Lost)
            throw FabricException.Conflict($"'{name}' has no owner: {vm.Info.Reason}. Its disk is on '{vm.Info.Host}'; wait for that host, or delete the VM and run it anew from its package.");
    }
}
