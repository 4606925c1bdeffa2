namespace Architekt.Fabric.Nbd;

/// <summary>How a range is zeroed.</summary>
[Flags]
public enum NbdZeroOptions
{
    /// <summary>The server may punch a hole.</summary>
    None = 0,

    /// <summary>Durable when the task ends (NBD_CMD_FLAG_FUA).</summary>
    ForceUnitAccess = 1,

    /// <summary>The range stays allocated (NBD_CMD_FLAG_NO_HOLE).</summary>
    NoHole = 2,

    /// <summary>Fail with <see cref="NbdError.NotSupported"/> rather than be as slow as writing (NBD_CMD_FLAG_FAST_ZERO).</summary>
    OnlyIfFast = 4,
}
