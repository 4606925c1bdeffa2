namespace Architekt.Fabric.Network;

/// <summary>Whether a host's network can carry VMs.</summary>
/// <param name="TunUsable">TAPs can be made.</param>
/// <param name="IpInstalled">ip(8) is there.</param>
/// <param name="BridgePresent">The configured bridge is there.</param>
/// <param name="Problems">One sentence with a remedy for each thing that is missing; empty when all is well.</param>
/// <param name="Warnings">Things that may be meant so, but that often are not.</param>
public sealed record NetworkReadiness(
    bool TunUsable, bool IpInstalled, bool BridgePresent, IReadOnlyList<string> Problems, IReadOnlyList<string> Warnings)
{
    /// <summary>True when nothing is missing.</summary>
    public bool IsReady => Problems.Count == 0;
}
