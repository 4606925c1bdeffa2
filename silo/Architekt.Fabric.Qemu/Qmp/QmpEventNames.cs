namespace Architekt.Fabric.Qemu;

/// <summary>Names of the events the fabric listens to (QEMU QMP reference manual).</summary>
public static class QmpEventNames
{
    /// <summary>The virtual CPUs stopped.</summary>
    public const string Stop = "STOP";

    /// <summary>The virtual CPUs run again.</summary>
    public const string Resume = "RESUME";

    /// <summary>The guest powered off, or QEMU was asked to quit.</summary>
    public const string Shutdown = "SHUTDOWN";

    /// <summary>The guest was reset.</summary>
    public const string Reset = "RESET";

    /// <summary>The guest reported a panic.</summary>
    public const string GuestPanicked = "GUEST_PANICKED";

    /// <summary>The state of a migration changed; sent only with the capability <c>events</c>.</summary>
    public const string Migration = "MIGRATION";

    /// <summary>A mirror has copied everything and from now on follows the guest.</summary>
    public const string BlockJobReady = "BLOCK_JOB_READY";

    /// <summary>A block job ended; its <c>error</c> member tells whether well. A ready mirror that is cancelled ends with this too.</summary>
    public const string BlockJobCompleted = "BLOCK_JOB_COMPLETED";

    /// <summary>A block job was cancelled before it was ready, or by force.</summary>
    public const string BlockJobCancelled = "BLOCK_JOB_CANCELLED";

    /// <summary>A block job met an I/O error.</summary>
    public const string BlockJobError = "BLOCK_JOB_ERROR";

    /// <summary>A virtio-serial port was opened or closed by the guest.</summary>
    public const string SerialPortChange = "VSERPORT_CHANGE";
}
