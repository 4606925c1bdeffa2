namespace Architekt.Fabric.Peer.Machine;

/// <summary>What a machine is started for.</summary>
internal enum MachineStart
{
    /// <summary>Its guest boots.</summary>
    Boot,

    /// <summary>Its guest resumes from the instance's package.</summary>
    Resume,

    /// <summary>Its guest comes from another host.</summary>
    Incoming,
}
