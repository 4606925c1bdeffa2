namespace Architekt.Fabric.Nbd;

/// <summary>State of an extent in the <c>base:allocation</c> context (proto.md, "base:allocation metadata context").</summary>
[Flags]
public enum NbdExtentState
{
    /// <summary>Allocated, content unknown.</summary>
    Data = 0,

    /// <summary>NBD_STATE_HOLE: not allocated in the storage behind the export.</summary>
    Hole = 1,

    /// <summary>NBD_STATE_ZERO: reads as zeroes.</summary>
    Zero = 2,
}
