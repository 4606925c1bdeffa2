namespace Architekt.Fabric;

/// <summary>When the RAM of a VM that was resumed from a package is brought in. The guest runs meanwhile, whichever it is.</summary>
public enum FillMode
{
    /// <summary>Only what the guest touches; before a migration or a checkpoint the rest is brought in.</summary>
    None = 0,

    /// <summary>Also the rest, slowly, so that the guest does not notice.</summary>
    Idle = 1,

    /// <summary>Also the rest, as fast as it can be read.</summary>
    Now = 2,
}
