namespace Architekt.Fabric.Grains;

/// <summary>The fabric as a drain sees it at one moment.</summary>
/// <param name="Vms">The VMs the host owns.</param>
/// <param name="FreeBytes">Hosts that are open to them, with the guest memory that nobody but this drain's own moves has a claim to, in bytes.</param>
/// <param name="CanLeave">Whether the host's silo answers, without which nothing can leave it.</param>
/// <param name="IsExpecting">Whether a migration to the host, begun before it was cordoned, is still under way.</param>
internal sealed record DrainView(
    IReadOnlyList<VmInfo> Vms, IReadOnlyDictionary<string, long> FreeBytes, bool CanLeave = true, bool IsExpecting = false);
