namespace Architekt.Fabric.Network;

/// <summary>What became of a bridge that was to be deleted.</summary>
public enum BridgeRemoval
{
    /// <summary>It is gone.</summary>
    Deleted,

    /// <summary>There was none.</summary>
    Missing,

    /// <summary>It was not made by us and stays.</summary>
    NotOurs,

    /// <summary>TAPs of VMs are still attached, so it stays.</summary>
    InUse,
}
