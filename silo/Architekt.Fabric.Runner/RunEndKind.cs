namespace Architekt.Fabric.Runner;

/// <summary>Why a machine does not run any more.</summary>
public enum RunEndKind
{
    /// <summary>It was suspended and goes on when it is run again.</summary>
    Suspended,

    /// <summary>Its guest shut down; its disk is kept.</summary>
    ShutDown,

    /// <summary>It was ended on request, and what it had is gone.</summary>
    Ended,

    /// <summary>QEMU or the peer ended by a fault; what was suspended before is still there.</summary>
    Crashed,
}
