namespace Architekt.Fabric;

/// <summary>What kind of failure a <see cref="FabricException"/> is. The numbers cross the wire and are never reused.</summary>
public enum FabricErrorCode
{
    /// <summary>A fault of the fabric itself.</summary>
    Internal = 0,

    /// <summary>The request is malformed; repeating it cannot help.</summary>
    InvalidArgument = 1,

    /// <summary>The host, package, VM or operation does not exist.</summary>
    NotFound = 2,

    /// <summary>Something of that name exists already.</summary>
    AlreadyExists = 3,

    /// <summary>The object is busy with something else or in a state that does not allow the request.</summary>
    Conflict = 4,

    /// <summary>A pre-check refused the request; nothing was started.</summary>
    Refused = 5,

    /// <summary>The host has no room.</summary>
    NoCapacity = 6,

    /// <summary>The host, kernel or QEMU lacks a feature.</summary>
    Unsupported = 7,

    /// <summary>A deadline passed; the outcome may be unknown.</summary>
    Timeout = 8,

    /// <summary>The operation was cancelled on request.</summary>
    Cancelled = 9,

    /// <summary>A host, the fabric or Postgres cannot be reached now.</summary>
    Unavailable = 10,

    /// <summary>The request was carried out and failed.</summary>
    Failed = 11,

    /// <summary>The caller acts for an epoch that is no longer the owner's.</summary>
    StaleEpoch = 12,
}
