namespace Architekt.Fabric.Nbd;

/// <summary>What an export offers (proto.md, "Transmission flags").</summary>
[Flags]
public enum NbdFeatures
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>NBD_FLAG_HAS_FLAGS, always set.</summary>
    HasFlags = 1 << 0,

    /// <summary>NBD_FLAG_READ_ONLY.</summary>
    ReadOnly = 1 << 1,

    /// <summary>NBD_FLAG_SEND_FLUSH.</summary>
    Flush = 1 << 2,

    /// <summary>NBD_FLAG_SEND_FUA.</summary>
    ForceUnitAccess = 1 << 3,

    /// <summary>NBD_FLAG_ROTATIONAL.</summary>
    Rotational = 1 << 4,

    /// <summary>NBD_FLAG_SEND_TRIM.</summary>
    Trim = 1 << 5,

    /// <summary>NBD_FLAG_SEND_WRITE_ZEROES.</summary>
    WriteZeroes = 1 << 6,

    /// <summary>NBD_FLAG_SEND_DF: reads can be asked for in one piece; only with structured replies.</summary>
    DoNotFragment = 1 << 7,

    /// <summary>NBD_FLAG_CAN_MULTI_CONN: a flush on one connection covers completed writes on all.</summary>
    MultiConnection = 1 << 8,

    /// <summary>NBD_FLAG_SEND_CACHE.</summary>
    Cache = 1 << 10,

    /// <summary>NBD_FLAG_SEND_FAST_ZERO.</summary>
    FastZero = 1 << 11,
}
