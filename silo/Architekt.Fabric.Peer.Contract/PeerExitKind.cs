namespace Architekt.Fabric.Peer;

/// <summary>Why an instance ended.</summary>
public enum PeerExitKind
{
    /// <summary>The guest shut down, by itself or because it was asked to.</summary>
    ShutDown = 0,

    /// <summary>QEMU was ended on request.</summary>
    Killed = 1,

    /// <summary>QEMU ended by a fault.</summary>
    Crashed = 2,

    /// <summary>The VM runs elsewhere now.</summary>
    Released = 3,

    /// <summary>A migration to this host was given up before it was the owner.</summary>
    Discarded = 4,

    /// <summary>It never started.</summary>
    StartFailed = 5,

    /// <summary>It was written down to be resumed later, and ended.</summary>
    Suspended = 6,
}
