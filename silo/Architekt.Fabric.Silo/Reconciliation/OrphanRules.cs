using Architekt.Fabric.Grains;
using Architekt.Fabric.Peer;

namespace Architekt.Fabric.Silo.Reconciliation;

/// <summary>What of that which is on a host belongs to nobody, as plain code. In doubt it is somebody's.</summary>
internal static class OrphanRules
{
    /// <summary>Whether a disk is nobody's. That of a VM without an owner is kept: it is all that is left of what the VM has written.</summary>
    /// <param name="vm">The VM's row; null if there is none.</param>
    /// <param name="host">This host.</param>
    /// <param name="epoch">The epoch the disk is filed under.</param>
    public static bool IsOrphanDisk(VmRecord? vm, string host, long epoch)
    {
        if (vm is null) return true;
        if (vm.Info.Operation is not null) return false;
        return vm.Info.Host != host || !IsDiskOf(vm, epoch);
    }

    /// <summary>
    /// Whether a disk on the host of a VM is the VM's. It is filed under what the row says or, renamed since, under a later epoch: the row gets another with each restart, and when the host is
    /// declared dead, but only the host knows how far it came with that. Whatever else is left of the VM here is older.
    /// </summary>
    public static bool IsDiskOf(VmRecord vm, long epoch) => vm.DiskEpoch <= epoch && epoch <= vm.Info.Epoch;

    /// <summary>Whether the disk of a VM of this host may be renamed now. Not while somebody may be about to start the VM and has looked for its disk.</summary>
    public static bool CanSettleDisk(VmRecord vm) =>
        vm.Info.Operation is null && (vm.Info.State == VmState.Stopped || (vm.Info.State == VmState.Failed && vm.Info.Restart == VmRestart.Never));

    /// <summary>Whether a console log is nobody's.</summary>
    /// <param name="vm">The VM's row; null if there is none.</param>
    /// <param name="host">This host.</param>
    /// <param name="epoch">The epoch the log is of.</param>
    public static bool IsOrphanLog(VmRecord? vm, string host, long epoch) =>
        vm is null || (vm.Info.Operation is null && (vm.Info.Host != host || vm.Info.Epoch != epoch));

    /// <summary>Whether a VM is said not to run yet, or not any more, and does.</summary>
    public static bool IsUnderrated(VmState recorded, PeerState state) => state == PeerState.Running && recorded is (VmState.Starting or VmState.Failed);

    /// <summary>Whether a VM of this host is said to run and has nothing here that could.</summary>
    public static bool IsMissing(VmRecord vm, bool hasPeer) =>
        !hasPeer && vm.Info.Operation is null && vm.Info.State is not (VmState.Stopped or VmState.Failed or VmState.Lost);
}
