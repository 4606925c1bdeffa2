using Orleans.Placement;

namespace Architekt.Fabric.Grains;

/// <summary>A VM's grain. It keeps nothing in memory: the row in Postgres is the truth, and every act carries its epoch.</summary>
[GrainType(PinnedGrainTypes.Vm)]
[HostPinned, KeepAlive, Immovable]
internal sealed partial class VmGrain(
    HostLocator locator, IVmStore vms, IOwnershipStore ownership, IOperationStore operations, VmPlacer placer, PackageEnsurer packages, TimeProvider time) : PinnedGrain(locator), IVmGrain
{
    // Well within the time that a call may take; a longer pull goes on, the client waits for it by itself and asks again.
    private static readonly TimeSpan LongestPull = TimeSpan.FromSeconds(10);

    private string Name => this.GetPrimaryKeyString();

    private VmCommands Commands => new(Name, host => GrainFactory.GetGrain<IHostControl>(host), vms, ownership, operations, time);

    public async Task<VmInfo> RunAsync(VmSpec spec, CancellationToken cancellationToken)
    {
        if (Name.StartsWith(FabricNames.MakingPrefix, StringComparison.Ordinal))
            throw FabricException.Invalid($"Names that begin with '{FabricNames.MakingPrefix}' belong to VMs that packages are made of; choose another than '{Name}'.");
        var vm = await DescribeAsync(spec, cancellationToken);
        var (info, machine, host) = (vm.Info, vm.Machine, vm.Info.Host);
        var control = Control(vm);
        var start = StartOf(spec, machine);
        await vms.CreateAsync(vm, cancellationToken);
        try
        {
            await control.StartAsync(new VmInstance(Name, info.Epoch, machine, start), cancellationToken);
        }
        catch (FabricException error) when (error.Code != FabricErrorCode.Unavailable)
        {
            // The host says nothing was started, so the name is free again. If it cannot be reached, nobody knows: the row stays.
            await vms.DeleteAsync(Name, info.Epoch, CancellationToken.None);
            throw;
        }

        // A guest that was resumed said long ago that it was up, when it was packaged.
        var (state, message) = machine.HasMemory
            ? (VmState.Running, $"'{Name}' was resumed on '{host}' from package '{machine.Package}'")
            : (VmState.Booting, $"'{Name}' was started on '{host}'");
        await vms.SetStateAsync(Name, info.Epoch, state, null, message, CancellationToken.None);
        if (host != Locator.LocalHost) MigrateOnIdle();
        return (await RequireAsync(cancellationToken)).Info;
    }

    public Task<VmInfo> StartAsync(CancellationToken cancellationToken) => Commands.StartAsync(cancellationToken);

    public async Task<VmInfo> GetAsync(CancellationToken cancellationToken)
    {
        var vm = await RequireAsync(cancellationToken);
        if (vm.Info.State is not (VmState.Running or VmState.Booting or VmState.Stopping)) return vm.Info;
        try
        {
            return vm.Info with { Usage = await Control(vm).GetUsageAsync(Name, vm.Info.Epoch, cancellationToken) };
        }
        catch (Exception error) when (error is FabricException or OrleansException or TimeoutException)
        {
            // What the fabric knows is the answer; what the host would add is not worth losing it.
            return vm.Info;
        }
    }

    public Task<VmInfo> StopAsync(bool force, CancellationToken cancellationToken) => Commands.StopAsync(force, cancellationToken);

    public async Task DeleteAsync(bool force, CancellationToken cancellationToken)
    {
        var vm = await RequireAsync(cancellationToken);
        await Commands.RefuseDuringOperationAsync(vm, cancellationToken);
        if (vm.Info.State == VmState.Lost)
        {
            // What is left of it is removed by its host, should that be back.
            await DeleteRowAsync(vm, cancellationToken);
            return;
        }

        if (!vm.Info.HasEnded())
        {
            if (!force)
            {
                throw FabricException.Conflict(
                    $"'{Name}' is {VmCommands.Word(vm)} on '{vm.Info.Host}': stop it first, or force the deletion.");
            }

            await Control(vm).StopAsync(Name, vm.Info.Epoch, force: true, cancellationToken);
        }

        await Control(vm).RemoveAsync(Name, vm.Info.Epoch, cancellationToken);
        await DeleteRowAsync(vm, cancellationToken);
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

    private async Task DeleteRowAsync(VmRecord vm, CancellationToken cancellationToken)
    {
        if (!await vms.DeleteAsync(Name, vm.Info.Epoch, cancellationToken))
            throw FabricException.Conflict($"'{Name}' changed hands while it was being deleted; look at it again.");
        DeactivateOnIdle();
    }

    /// <summary>What the VM will be and where, with the package there. Nothing is recorded yet.</summary>
    private async Task<VmRecord> DescribeAsync(VmSpec spec, CancellationToken cancellationToken)
    {
        FabricNames.Require(Name, "VM");
        if (spec.Name != Name) throw FabricException.Invalid($"The specification is for '{spec.Name}', not for '{Name}'.");
        if (await vms.FindAsync(Name, cancellationToken) is { } existing)
        {
            throw new FabricException(
                FabricErrorCode.AlreadyExists,
                $"There is a VM '{Name}' already, {VmCommands.Word(existing)} on '{existing.Info.Host}'; choose another name or delete it first.");
        }

        var host = await placer.ChooseAsync(spec, cancellationToken);
        await packages.EnsureAsync(host, spec.Package, name: null, LongestPull, report: null, cancellationToken);
        var machine = await GrainFactory.GetGrain<IHostControl>(host).DescribeMachineAsync(spec, cancellationToken);

        // Getting the package may have taken long enough for the host to be cordoned meanwhile.
        await placer.RequireOpenAsync(host, cancellationToken);
        var now = time.GetUtcNow();
        var info = new VmInfo(
            Name, VmState.Starting, null, host, 1, machine.Package, machine.PackageDigest, machine.Vcpus, machine.MemoryBytes, machine.Mac, null, now, now,
            Restart: spec.Restart, Availability: spec.Availability);
        return new VmRecord(info, machine);
    }

    private static VmStart StartOf(VmSpec spec, MachineDescription machine) =>
        new(machine.HasMemory ? StartKind.Resume : StartKind.Boot, spec.Fill, spec.Address, spec.Gateway);

    private IHostControl Control(VmRecord vm) => GrainFactory.GetGrain<IHostControl>(vm.Info.Host);

    private Task<VmRecord> RequireAsync(CancellationToken cancellationToken) => Commands.RequireAsync(cancellationToken);
}
