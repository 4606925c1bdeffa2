namespace Architekt.Fabric;

/// <summary>What a VM is doing, as its owner last recorded it.</summary>
public enum VmState
{
    /// <summary>Its QEMU is being started.</summary>
    Starting = 0,

    /// <summary>It runs; the guest has not said yet that it is up.</summary>
    Booting = 1,

    /// <summary>It runs.</summary>
    Running = 2,

    /// <summary>It was asked to shut down.</summary>
    Stopping = 3,

    /// <summary>It was shut down on request or by itself.</summary>
    Stopped = 4,

    /// <summary>It ended, or never started, through a fault; the reason is recorded.</summary>
    Failed = 5,

    /// <summary>Its host does not answer. It may well be running there.</summary>
    Unknown = 6,

    /// <summary>Its host was declared dead: nobody owns it, and it does not run. It is back when that host is, or was taken over by another.</summary>
    Lost = 7,
}
