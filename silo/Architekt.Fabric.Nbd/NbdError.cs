namespace Architekt.Fabric.Nbd;

/// <summary>Outcome of one NBD command. Values are those of the wire (proto.md, "Error values").</summary>
public enum NbdError
{
    /// <summary>Success.</summary>
    None = 0,

    /// <summary>NBD_EPERM: the export is read-only.</summary>
    NotPermitted = 1,

    /// <summary>NBD_EIO: the storage behind the export failed.</summary>
    InputOutput = 5,

    /// <summary>NBD_ENOMEM: the server had no memory for the request.</summary>
    NoMemory = 12,

    /// <summary>NBD_EINVAL: unknown command or flag, a range outside the export, or a request above the maximum size.</summary>
    Invalid = 22,

    /// <summary>NBD_ENOSPC: no room, or a write or zeroing beyond the end of the export.</summary>
    NoSpace = 28,

    /// <summary>NBD_EOVERFLOW: the read is too long to be answered unfragmented.</summary>
    Overflow = 75,

    /// <summary>NBD_ENOTSUP: zeroing would not be faster than writing.</summary>
    NotSupported = 95,

    /// <summary>NBD_ESHUTDOWN: the server, or this export of it, is going away.</summary>
    ShuttingDown = 108,
}
