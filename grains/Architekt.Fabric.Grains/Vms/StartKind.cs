namespace Architekt.Fabric.Grains;

/// <summary>How an instance of a VM comes to life.</summary>
public enum StartKind
{
    /// <summary>It boots from a new disk on its package's.</summary>
    Boot = 0,

    /// <summary>It resumes from its package's memory, device state and disk.</summary>
    Resume = 1,

    /// <summary>It boots from the disk it has: it was stopped before.</summary>
    BootAgain = 2,
}
