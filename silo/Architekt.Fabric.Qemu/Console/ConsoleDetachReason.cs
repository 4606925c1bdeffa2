namespace Architekt.Fabric.Qemu;

/// <summary>Why an attached console was left.</summary>
public enum ConsoleDetachReason
{
    /// <summary>QEMU closed it: the VM has ended or moved away.</summary>
    ConsoleClosed,

    /// <summary>The escape key was typed.</summary>
    Escaped,

    /// <summary>The caller cancelled.</summary>
    Cancelled,
}
