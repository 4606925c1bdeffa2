using Architekt.Fabric.Grains;

namespace Architekt.Fabric.Simulation.Postgres;

/// <content>The statements on leases and restarts, with the conditions of those of <c>OwnershipStore</c>.</content>
internal sealed partial class Tables
{
    private static readonly DateTimeOffset Epoch = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private DateTimeOffset? _leaseUntil;
    private DateTimeOffset _stateSince;
    private int _restarts;
    private long _diskEpoch = 1;

    /// <summary>How far somebody has set the server's clock forward.</summary>
    public TimeSpan SetForward { get; set; }

    private DateTimeOffset Clock => Epoch + TimeSpan.FromMicroseconds(now()) + SetForward;

    /// <summary>The row with all that is in it.</summary>
    public VmRecord Record => new(Vm, machine) { DiskEpoch = _diskEpoch };

    public IReadOnlyList<long> Renew(string host, long[] epochs, TimeSpan duration, bool compares)
    {
        if (compares && (Vm.Host != host || !epochs.Contains(Vm.Epoch))) return [];
        if (Vm.State is VmState.Lost or VmState.Stopped) return [];
        _leaseUntil = Clock + duration;
        return compares ? [Vm.Epoch] : epochs;
    }

    public IReadOnlyList<LeaseSighting> ListForeign(string host) => Vm.Host != host && IsLeased ? [new LeaseSighting(Record, _leaseUntil)] : [];

    public VmRecord? Claim(LeaseSighting seen, string host, TimeSpan margin, TimeSpan duration, bool compares)
    {
        if (compares && (Vm.Epoch != seen.Vm.Info.Epoch || _leaseUntil != seen.LeaseUntil || !IsLeased || _leaseUntil + margin >= Clock)) return null;
        if (Vm.Host == host) return null;
        Own(host, VmState.Starting, ++LastEpoch);
        _leaseUntil = Clock + duration;
        return Record;
    }

    public FailedVm? FindFailed(string host) => Vm.Host == host && IsRestartable
        ? new FailedVm(Record, _restarts, _stateSince - Vm.OwnedSince, Clock - _stateSince)
        : null;

    public VmRecord? Restart(FailedVm seen, int restarts, long diskEpoch)
    {
        if (Vm.Host != seen.Vm.Info.Host || Vm.Epoch != seen.Vm.Info.Epoch || !IsRestartable) return null;
        Own(Vm.Host, VmState.Starting, ++LastEpoch);
        (_restarts, _diskEpoch) = (restarts, diskEpoch);
        return Record;
    }

    private bool IsLeased => machine.HasLease && _leaseUntil is not null && Vm.State is VmState.Starting or VmState.Booting or VmState.Running or VmState.Unknown;

    private bool IsRestartable => Vm is { State: VmState.Failed, Restart: VmRestart.OnFailure, Operation: null } && !HasRunning;

    private void Own(string host, VmState state, long epoch)
    {
        Vm = Vm with { Host = host, Epoch = epoch, State = state, OwnedSince = Clock, Operation = null };
        (_stateSince, _diskEpoch) = (Clock, epoch);
    }
}
