namespace Architekt.Fabric.Peer;

/// <summary>What a peer is doing with its VM.</summary>
public enum PeerState
{
    /// <summary>Nothing has been started.</summary>
    Idle = 0,

    /// <summary>The guest runs.</summary>
    Running = 1,

    /// <summary>QEMU waits, paused, for memory and device state.</summary>
    Incoming = 2,

    /// <summary>The device state is loaded; the guest may run once its epoch is granted.</summary>
    Loaded = 3,

    /// <summary>The guest was stopped for the switch-over of a migration away.</summary>
    Switching = 4,

    /// <summary>Everything was handed over; only the fabric can say who goes on.</summary>
    HandedOver = 5,

    /// <summary>The guest is paused on request.</summary>
    Paused = 6,

    /// <summary>QEMU has ended.</summary>
    Ended = 7,
}
