namespace Architekt.Fabric.Grains;

/// <summary>What a drain must still know after a crash of its silo; recorded before it is acted on.</summary>
/// <param name="IsCancelRequested">Whether somebody has asked for it to be cancelled.</param>
/// <param name="Vms">The VMs it has found on the host.</param>
public sealed record DrainState(bool IsCancelRequested, IReadOnlyList<DrainedVm> Vms)
{
    /// <summary>A drain that has not looked yet.</summary>
    public static DrainState Begin { get; } = new(false, []);
}
