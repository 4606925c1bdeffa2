using Architekt.Fabric.Client;
using Architekt.Fabric.Faults;
using Architekt.Fabric.Faults.Hosts;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Soak;

/// <summary>Does something bad every few seconds, and undoes what nobody else would.</summary>
internal sealed class Storm(
    FaultOptions options, FabricClient client, IReadOnlyList<FaultHost> hosts, IReadOnlyList<SoakGuest> guests, PostgresProcess postgres, SoakCounts counts, Random random)
{
    private readonly List<ProcessIdentity> _frozen = [];
    private SwitchPorts? _cut;

    private readonly (string Name, int Weight)[] _faults =
    [
        ("kill-silo", 3), ("freeze-silo", 2), ("cut-link", 2), ("restart-postgres", 2), ("kill-disposable-peer", 3), ("kill-disposable-qemu", 3), ("kill-guest", 1),
    ];

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(3000, 9000)), cancellationToken);
                try
                {
                    await DoAsync(Choose(), cancellationToken);
                }
                catch (FabricException)
                {
                    // The fabric could not say what there is to do it to: it has not got over the last one.
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The end of the storm.
        }
    }

    /// <summary>Undoes what is still done.</summary>
    public async Task CalmAsync(CancellationToken cancellationToken)
    {
        foreach (var process in _frozen) process.Kill(ProcessSignal.Continue);
        _frozen.Clear();
        if (_cut is not null) await _cut.MendAsync();
        await postgres.ReviveAsync(cancellationToken);
    }

    private string Choose()
    {
        var number = random.Next(_faults.Sum(static fault => fault.Weight));
        return _faults.First(fault => (number -= fault.Weight) < 0).Name;
    }

    private async Task DoAsync(string fault, CancellationToken cancellationToken)
    {
        var host = hosts[random.Next(hosts.Count)];
        switch (fault)
        {
            case "kill-silo":
                Say(fault, host.Name);
                host.Silo.Kill(ProcessSignal.Kill);
                break;
            case "freeze-silo":
                await FreezeAsync(fault, host, cancellationToken);
                break;
            case "cut-link":
                await CutAsync(fault, cancellationToken);
                break;
            case "restart-postgres":
                Say(fault, "");
                await postgres.EndAsync(CancellationToken.None);
                await PauseAsync(3000, cancellationToken);
                await postgres.ReviveAsync(CancellationToken.None);
                break;
            case "kill-guest":
                await KillGuestAsync(fault, cancellationToken);
                break;
            default:
                await KillDisposableAsync(fault, isPeer: fault == "kill-disposable-peer", cancellationToken);
                break;
        }
    }

    private async Task FreezeAsync(string fault, FaultHost host, CancellationToken cancellationToken)
    {
        var silo = host.Silo;
        if (!silo.Kill(ProcessSignal.Stop)) return;
        _frozen.Add(silo);

        // Both: short enough to be taken for a hiccup, and long enough to be declared dead by the others.
        var milliseconds = random.Next(500, 12_000);
        Say(fault, $"{host.Name} for {milliseconds} ms");
        await Task.Delay(milliseconds, cancellationToken);
        silo.Kill(ProcessSignal.Continue);
        _frozen.Remove(silo);
    }

    private async Task CutAsync(string fault, CancellationToken cancellationToken)
    {
        var pair = hosts.OrderBy(_ => random.Next()).Take(2).ToList();
        Say(fault, $"{pair[0].Name} and {pair[1].Name}");
        _cut = new SwitchPorts(options, pair);
        await _cut.CutAsync();
        await PauseAsync(5000, cancellationToken);
        await _cut.MendAsync();
        _cut = null;
    }

    private async Task KillGuestAsync(string fault, CancellationToken cancellationToken)
    {
        var guest = guests[random.Next(guests.Count)];
        if (await client.FindVmAsync(guest.Name, cancellationToken) is not { State: VmState.Running } vm) return;
        if (hosts.Single(host => host.Name == vm.Host).FindProcesses(vm.Name, vm.Epoch) is not { } processes) return;
        guest.WillEnd(vm.Epoch);
        Say(fault, $"{vm.Name} on {vm.Host}");
        new ProcessIdentity(processes.QemuPid, processes.QemuStartTicks).Kill(ProcessSignal.Kill);
    }

    /// <summary>Before the commit the destination is disposable, after it the source. Whatever is killed a moment too late was the guest itself.</summary>
    private async Task KillDisposableAsync(string fault, bool isPeer, CancellationToken cancellationToken)
    {
        var running = (await client.ListOperationsAsync(onlyRunning: true, cancellationToken: cancellationToken))
            .Where(static operation => operation is { Kind: OperationKinds.Migrate, Phase: >= MigrationPhase.Prepare and <= MigrationPhase.Clean }).ToList();
        if (running.Count == 0) return;
        var operation = running[random.Next(running.Count)];
        var isCommitted = operation.Phase >= MigrationPhase.Run;
        var (name, epoch) = isCommitted ? (operation.Source, operation.Epoch - 1) : (operation.Destination!, operation.Epoch);
        if (hosts.Single(host => host.Name == name).FindProcesses(operation.Vm!, epoch) is not { } processes) return;
        var doomed = isPeer ? new ProcessIdentity(processes.PeerPid, processes.PeerStartTicks) : new ProcessIdentity(processes.QemuPid, processes.QemuStartTicks);

        // A QEMU that its peer is just starting is not known yet.
        if (doomed.Pid == 0) return;
        guests.Single(guest => guest.Name == operation.Vm).WillEnd(epoch);
        Say(fault, $"{operation.Vm} with epoch {epoch} on {name}, phase {operation.Phase}");
        doomed.Kill(ProcessSignal.Kill);
    }

    private Task PauseAsync(int upToMs, CancellationToken cancellationToken) => Task.Delay(random.Next(200, upToMs), cancellationToken);

    private void Say(string fault, string what)
    {
        counts.Fault(fault);
        Console.WriteLine($"{TimeProvider.System.GetUtcNow():HH:mm:ss.fff}  {fault}  {what}");
    }
}
