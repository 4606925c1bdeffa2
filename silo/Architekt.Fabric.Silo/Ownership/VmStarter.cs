using Architekt.Fabric.Grains;
using Architekt.Fabric.Silo.Runtime;

namespace Architekt.Fabric.Silo.Ownership;

/// <summary>Starts, on this host, a VM that has become its own without anybody having asked for it just now.</summary>
internal sealed class VmStarter(HostRuntime runtime, IVmStore vms)
{
    /// <summary>From its disk where that is here, else from its package. Whatever comes of it is recorded.</summary>
    public async Task StartAsync(VmRecord vm, CancellationToken cancellationToken)
    {
        var (name, epoch) = (vm.Info.Name, vm.Info.Epoch);
        var kind = runtime.HasDisk(vm) ? StartKind.BootAgain : vm.Machine.HasMemory ? StartKind.Resume : StartKind.Boot;
        try
        {
            var start = new VmStart(kind, FillMode.Idle, vm.Machine.Address, vm.Machine.Gateway);
            await runtime.StartAsync(new VmInstance(name, epoch, vm.Machine, start), cancellationToken);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            await vms.SetStateAsync(name, epoch, VmState.Failed, error.Message, $"'{name}' could not be started on '{runtime.HostName}': {error.Message}", CancellationToken.None);
            return;
        }

        var (state, message) = kind == StartKind.Resume
            ? (VmState.Running, $"'{name}' was resumed on '{runtime.HostName}' from package '{vm.Machine.Package}'")
            : (VmState.Booting, $"'{name}' was started on '{runtime.HostName}'");
        await vms.SetStateAsync(name, epoch, state, null, message, CancellationToken.None);
    }
}
