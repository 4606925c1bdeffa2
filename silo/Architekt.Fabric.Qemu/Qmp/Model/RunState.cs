using System.Text.Json.Serialization;

namespace Architekt.Fabric.Qemu;

/// <summary>What a virtual machine is doing (QEMU, qapi/run-state.json, <c>RunState</c>).</summary>
[JsonConverter(typeof(QmpEnumConverter<RunState>))]
public enum RunState
{
    /// <summary>A state this library does not know.</summary>
    Unknown,

    /// <summary>Stopped by a debugger.</summary>
    Debug,

    /// <summary>Waits for an incoming migration, or is loading one.</summary>
    Inmigrate,

    /// <summary>Stopped by an internal error.</summary>
    InternalError,

    /// <summary>Stopped by an I/O error of a disk.</summary>
    IoError,

    /// <summary>Stopped by command.</summary>
    Paused,

    /// <summary>Stopped after it has been migrated away.</summary>
    Postmigrate,

    /// <summary>Started with <c>-S</c> and never run.</summary>
    Prelaunch,

    /// <summary>Stopped for the last part of a migration.</summary>
    FinishMigrate,

    /// <summary>Restoring a snapshot.</summary>
    RestoreVm,

    /// <summary>Runs.</summary>
    Running,

    /// <summary>Saving a snapshot.</summary>
    SaveVm,

    /// <summary>The guest has shut down.</summary>
    Shutdown,

    /// <summary>The guest is in ACPI S3.</summary>
    Suspended,

    /// <summary>Stopped by a watchdog.</summary>
    Watchdog,

    /// <summary>The guest has panicked.</summary>
    GuestPanicked,

    /// <summary>Stopped by COLO.</summary>
    Colo,
}
