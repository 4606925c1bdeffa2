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
    private VmState? _lostFrom;
    private readonly Dictionary<string, (DateTimeOffset LastSeen, bool IsDead)> _hosts = [];

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

    public IReadOnlyList<LeaseSighting> ListForeign(string host) => IsClaimableLost || (Vm.Host != host && IsLeased) ? [new LeaseSighting(Record, _leaseUntil)] : [];

    public VmRecord? Claim(LeaseSighting seen, string host, TimeSpan margin, TimeSpan duration, bool compares)
    {
        if (compares && Vm.Epoch != seen.Vm.Info.Epoch) return null;
        if (!IsClaimableLost)
        {
            if (compares && (_leaseUntil != seen.LeaseUntil || !IsLeased || _leaseUntil + margin >= Clock)) return null;
            if (Vm.Host == host) return null;
        }

        Own(host, VmState.Starting, ++LastEpoch);
        _lostFrom = null;
        _leaseUntil = machine.HasLease ? Clock + duration : null;
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

    public IReadOnlyList<HostInfo> Hosts => [.. _hosts.Select(static host => new HostInfo(
        host.Key, host.Value.IsDead ? HostState.Dead : HostState.Unreachable, "", 1, 0, 0, 0, "kvm", "7.2.0", "", true, null, "0", host.Value.LastSeen))];

    public void Report(string host) => _hosts[host] = (Clock, _hosts.GetValueOrDefault(host).IsDead);

    public bool IsDead(string host) => _hosts[host].IsDead;

    /// <summary>What it has fenced, which is nothing if that was done before; null if the host has been heard of since.</summary>
    public IReadOnlyList<VmRecord>? DeclareDead(string host, DateTimeOffset lastSeen, bool compares)
    {
        if (compares && _hosts[host].LastSeen != lastSeen) return _hosts[host].IsDead ? [] : null;
        _hosts[host] = (_hosts[host].LastSeen, IsDead: true);
        if (Vm.Host != host || Vm.State == VmState.Lost) return [];
        _lostFrom = Vm.State;
        Vm = Vm with { Epoch = ++LastEpoch, State = VmState.Lost, Reason = $"host {host} was declared dead", OwnedSince = Clock, Operation = null };
        (_stateSince, _leaseUntil, _restarts) = (Clock, null, 0);
        return [Record];
    }

    public IReadOnlyList<VmRecord> ListLost(string host) => Vm.Host == host && Vm.State == VmState.Lost ? [Record] : [];

    public bool StopLost(long epoch)
    {
        if (Vm.Epoch != epoch || Vm.State != VmState.Lost) return false;
        _lostFrom = VmState.Stopped;
        return true;
    }

    public IReadOnlyList<VmRecord> Return(string host)
    {
        _hosts[host] = (_hosts[host].LastSeen, IsDead: false);
        if (Vm.Host != host || Vm.State != VmState.Lost) return [];
        Vm = Vm with { State = _lostFrom == VmState.Stopped ? VmState.Stopped : VmState.Failed, Reason = $"host {host} was declared dead and is back", OwnedSince = Clock };
        (_stateSince, _lostFrom) = (Clock, null);
        return [Record];
    }

    private bool IsClaimableLost => Vm.State == VmState.Lost && _lostFrom != VmState.Stopped && (machine.HasLease || Vm.Restart == VmRestart.OnFailure);

    private bool IsLeased => machine.HasLease && _leaseUntil is not null && Vm.State is VmState.Starting or VmState.Booting or VmState.Running or VmState.Unknown;

    private bool IsRestartable => Vm is { State: VmState.Failed, Restart: VmRestart.OnFailure, Operation: null } && !HasRunning;

    private void Own(string host, VmState state, long epoch)
    {
        Vm = Vm with { Host = host, Epoch = epoch, State = state, OwnedSince = Clock, Operation = null };
        (_stateSince, _diskEpoch) = (Clock, epoch);
    }
}
