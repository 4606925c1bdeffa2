namespace Architekt.Fabric.Memory;

/// <summary>What a <see cref="LazyFill"/> does besides bringing the pages a guest touches.</summary>
public enum FillMode
{
    /// <summary>Nothing: only pages that are touched are brought, and only they.</summary>
    None,

    /// <summary>Brings the rest slowly, and only while the guest touches nothing that is missing.</summary>
    Idle,

    /// <summary>Brings the rest as fast as it can.</summary>
    Now,
}
