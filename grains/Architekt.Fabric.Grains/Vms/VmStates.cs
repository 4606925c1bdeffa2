namespace Architekt.Fabric.Grains;

/// <summary>What a VM's state means for what can be done with it.</summary>
internal static class VmStates
{
    /// <summary>Whether it has no processes any more, and its disk is all there is of it.</summary>
    public static bool HasEnded(this VmInfo vm) => vm.State is VmState.Stopped or VmState.Failed;
}
