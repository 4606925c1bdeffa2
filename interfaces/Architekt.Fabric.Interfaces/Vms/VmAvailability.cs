namespace Architekt.Fabric;

/// <summary>What becomes of a VM whose host is lost.</summary>
public enum VmAvailability
{
    /// <summary>It stays its host's, and runs on there if that host does, until the host is back or declared dead.</summary>
    Normal = 0,

    /// <summary>Its right to run is a lease: its host stops it when that cannot be renewed, and another host then starts it from its package.</summary>
    Failover = 1,
}
