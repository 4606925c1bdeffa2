using Architekt.Fabric.Faults.Matrix;
using Architekt.Fabric.Peer;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Faults.Hosts;

/// <summary>Does the faults and undoes what can be undone.</summary>
internal sealed class FaultInjector(PostgresProcess postgres, SwitchPorts link, IReadOnlyList<FaultHost> hosts)
{
    private readonly List<ProcessIdentity> _frozen = [];
    private FaultHost? _lost;

    /// <summary>Does it. Returns when it has been done, not when it is over.</summary>
    public async Task InjectAsync(Fault fault, Migrating at, CancellationToken cancellationToken)
    {
        switch (fault)
        {
            case Fault.KillSourceSilo:
                await KillAsync(at.Source.Silo);
                break;
            case Fault.KillDestinationSilo:
                await KillAsync(at.Destination.Silo);
                break;
            case Fault.LoseDestinationSilo:
                _lost = at.Destination;
                await KillAsync(at.Destination.Silo);
                break;
            case Fault.KillSourcePeer:
                await KillAsync(PeerOf(at.SourceProcesses));
                break;
            case Fault.KillDestinationPeer:
                await KillAsync(PeerOf(at.DestinationProcesses));
                break;
            case Fault.KillSourceQemu:
                await KillAsync(QemuOf(at.SourceProcesses));
                break;
            case Fault.KillDestinationQemu:
                await KillAsync(QemuOf(at.DestinationProcesses));
                break;
            case Fault.CutLink:
                await link.CutAsync();
                break;
            case Fault.StopPostgres:
                await postgres.EndAsync(cancellationToken);
                break;
            case Fault.FreezeSourceSilo:
                Freeze(at.Source.Silo);
                break;
            case Fault.FreezeDestinationSilo:
                Freeze(at.Destination.Silo);
                break;
            case Fault.FreezeSourcePeer:
                Freeze(PeerOf(at.SourceProcesses));
                break;
            case Fault.FreezeDestinationPeer:
                Freeze(PeerOf(at.DestinationProcesses));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(fault), fault, "This fault has no deed.");
        }
    }

    /// <summary>Starts the silos that have ended, but not one that is meant to be away.</summary>
    public async Task ReviveSilosAsync(CancellationToken cancellationToken)
    {
        foreach (var host in hosts.Where(host => host != _lost)) await host.ReviveAsync(cancellationToken);
    }

    /// <summary>Undoes all that can be undone, whatever was done.</summary>
    public async Task HealAsync(CancellationToken cancellationToken)
    {
        foreach (var process in _frozen) process.Kill(ProcessSignal.Continue);
        _frozen.Clear();
        _lost = null;
        await link.MendAsync();
        await postgres.ReviveAsync(cancellationToken);
        await ReviveSilosAsync(cancellationToken);
    }

    private static ProcessIdentity PeerOf(PeerIdentity? processes) => new(Require(processes).PeerPid, processes!.PeerStartTicks);

    private static ProcessIdentity QemuOf(PeerIdentity? processes) => new(Require(processes).QemuPid, processes!.QemuStartTicks);

    private static PeerIdentity Require(PeerIdentity? processes) => processes ?? throw new CellFailedException("there was no peer to do it to");

    private static async Task KillAsync(ProcessIdentity process)
    {
        if (!process.Kill(ProcessSignal.Kill)) throw new CellFailedException($"process {process.Pid} had ended before it was killed");
        await process.WaitForExitAsync(TimeSpan.FromSeconds(10));
    }

    private void Freeze(ProcessIdentity process)
    {
        if (!process.Kill(ProcessSignal.Stop)) throw new CellFailedException($"process {process.Pid} had ended before it was frozen");
        _frozen.Add(process);
    }
}
