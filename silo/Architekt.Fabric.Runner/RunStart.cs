namespace Architekt.Fabric.Runner;

/// <summary>How a machine began to run.</summary>
public enum RunStart
{
    /// <summary>It booted from a blueprint.</summary>
    Booted,

    /// <summary>It resumed from a package.</summary>
    Resumed,

    /// <summary>It went on where it had been suspended.</summary>
    Continued,

    /// <summary>It booted from the disk it had when its guest shut down.</summary>
    BootedAgain,
}
