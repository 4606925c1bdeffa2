namespace Architekt.Fabric.Soak;

/// <summary>What a soak does on purpose and must report: how it shows that it can fail.</summary>
internal enum Harm
{
    /// <summary>Nothing: what a soak is for.</summary>
    None,

    /// <summary>A second QEMU runs in the name of a VM.</summary>
    TwoCopies,

    /// <summary>Acknowledged writes are removed from a guest.</summary>
    LostWrites,

    /// <summary>A guest is killed, and no fault is said to have done it.</summary>
    LostGuest,
}
