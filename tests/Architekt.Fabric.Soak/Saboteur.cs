using Architekt.Fabric.Client;
using Architekt.Fabric.Faults;
using Architekt.Fabric.Faults.Hosts;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Soak;

/// <summary>Does a <see cref="Harm"/> in the middle of a soak.</summary>
internal sealed class Saboteur(FaultOptions options, FabricClient client, IReadOnlyList<FaultHost> hosts, SoakGuest guest)
{
    private static readonly TimeSpan _secondCopyRuns = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _lookAgain = TimeSpan.FromMilliseconds(200);

    public async Task DoAsync(Harm harm, CancellationToken cancellationToken)
    {
        if (harm is not (Harm.TwoCopies or Harm.LostGuest)) return;
        var (vm, host) = await UntilItRunsAsync(cancellationToken);
        Console.WriteLine($"{TimeProvider.System.GetUtcNow():HH:mm:ss.fff}  on purpose: {harm}  {vm.Name} with epoch {vm.Epoch} on {vm.Host}");
        if (harm == Harm.LostGuest)
        {
            var processes = host.FindProcesses(vm.Name, vm.Epoch)!;
            new ProcessIdentity(processes.QemuPid, processes.QemuStartTicks).Kill(ProcessSignal.Kill);
            return;
        }

        await RunSecondCopyAsync(vm, cancellationToken);
    }

    /// <summary>A machine without anything, which runs all the same, and says of itself in its command line whose it is.</summary>
    private async Task RunSecondCopyAsync(VmInfo vm, CancellationToken cancellationToken)
    {
        var other = hosts.First(host => host.Name != vm.Host);
        var copy = await DetachedProcess.StartAsync(
            "ip",
            [
                "netns", "exec", other.Namespace, Path.Combine(options.RunFolder, "qemu-traced"), "-M", "none", "-nodefaults", "-display", "none",
                "-name", $"/{other.Name}/run/{vm.Name}.{vm.Epoch}/ram",
            ],
            env: null, workingDir: null, Path.Combine(options.LogFolder, "second-copy.log"), cancellationToken);
        await Task.Delay(_secondCopyRuns, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        copy.Kill(ProcessSignal.Kill);
    }

    private async Task<(VmInfo Vm, FaultHost Host)> UntilItRunsAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                if (await client.FindVmAsync(guest.Name, cancellationToken) is { State: VmState.Running } vm
                    && hosts.Single(host => host.Name == vm.Host) is var host && host.FindProcesses(vm.Name, vm.Epoch) is not null)
                    return (vm, host);
            }
            catch (FabricException)
            {
                // The storm has taken away who could say.
            }

            await Task.Delay(_lookAgain, cancellationToken);
        }
    }
}
