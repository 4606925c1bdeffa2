namespace Architekt.Fabric;

/// <summary>Whether a host's silo is a member of the cluster.</summary>
public enum HostState
{
    /// <summary>Known from the past; its silo does not answer now. Its VMs may well be running.</summary>
    Unreachable = 0,

    /// <summary>Its silo is an active member.</summary>
    Ready = 1,

    /// <summary>An operator has declared it dead. If it comes back it is ready once it has ended what it has no claim to any more.</summary>
    Dead = 2,
}
