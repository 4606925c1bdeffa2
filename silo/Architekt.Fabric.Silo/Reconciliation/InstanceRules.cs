using Architekt.Fabric.Peer;

namespace Architekt.Fabric.Silo.Reconciliation;

/// <summary>Compares an instance with its VM's row, as plain code.</summary>
internal static class InstanceRules
{
    /// <summary>What is to become of an instance.</summary>
    /// <param name="vm">
    /// The row, or null if there is none. It must have been read after <paramref name="status"/>: only then does a row without an operation say
    /// that the migration the instance takes part in is over and can never commit.
    /// </param>
    /// <param name="host">This host.</param>
    /// <param name="epoch">The instance's epoch.</param>
    /// <param name="status">What its peer says; null if it does not answer.</param>
    /// <param name="isForsaken">Whether it waits for somebody to start its guest who is gone: a former silo made it, and it was idle a while ago, too.</param>
    public static InstanceVerdict Judge(VmInfo? vm, string host, long epoch, PeerStatus? status, bool isForsaken = false)
    {
        if (vm is { Operation: not null }) return InstanceVerdict.Leave;
        if (vm is null || vm.Epoch != epoch || vm.Host != host || vm.State == VmState.Lost) return InstanceVerdict.Remove;
        return status switch
        {
            { Operation: not null, State: PeerState.Running or PeerState.Switching or PeerState.HandedOver } => InstanceVerdict.RollBack,
            { State: PeerState.Loaded or PeerState.Incoming, GrantedEpoch: 0 } => InstanceVerdict.Run,
            { State: PeerState.Idle, GrantedEpoch: 0 } when isForsaken => InstanceVerdict.Remove,
            { Operation: null, State: PeerState.Running, IsLive: true } when vm.State is VmState.Booting => InstanceVerdict.RecordRunning,
            { Operation: null, State: PeerState.Running } when vm.State is VmState.Unknown or VmState.Failed or VmState.Stopped => InstanceVerdict.RecordRunning,
            _ => InstanceVerdict.Leave,
        };
    }
}
