using System.Text.Json.Serialization;

namespace Architekt.Fabric.Qemu;

/// <summary>State of a migration (QEMU, qapi/migration.json, <c>MigrationStatus</c>).</summary>
[JsonConverter(typeof(QmpEnumConverter<MigrationStatus>))]
public enum MigrationStatus
{
    /// <summary>A state this library does not know.</summary>
    Unknown,

    /// <summary>None has begun.</summary>
    None,

    /// <summary>Being set up.</summary>
    Setup,

    /// <summary>Being cancelled.</summary>
    Cancelling,

    /// <summary>Cancelled.</summary>
    Cancelled,

    /// <summary>Transferring.</summary>
    Active,

    /// <summary>Post-copy runs.</summary>
    PostcopyActive,

    /// <summary>Post-copy is interrupted.</summary>
    PostcopyPaused,

    /// <summary>Post-copy recovers.</summary>
    PostcopyRecover,

    /// <summary>Done.</summary>
    Completed,

    /// <summary>Failed.</summary>
    Failed,

    /// <summary>COLO.</summary>
    Colo,

    /// <summary>The source has stopped and waits for <c>migrate-continue</c> (capability <c>pause-before-switchover</c>).</summary>
    PreSwitchover,

    /// <summary>Device state is being transferred.</summary>
    Device,

    /// <summary>Waits until a device is unplugged.</summary>
    WaitUnplug,
}
