namespace Architekt.Fabric.Nbd;

/// <summary>A run of bytes of an export that share one allocation state.</summary>
/// <param name="Offset">First byte, counted from the start of the export.</param>
/// <param name="Length">Bytes in the run, at least 1.</param>
/// <param name="State">The state they share.</param>
public readonly record struct NbdExtent(long Offset, long Length, NbdExtentState State)
{
    /// <summary>First byte after the run.</summary>
    public long End => Offset + Length;

    /// <summary>True when the run is known to read as zeroes.</summary>
    public bool IsZero => (State & NbdExtentState.Zero) != 0;

    /// <summary>True when the run is not allocated.</summary>
    public bool IsHole => (State & NbdExtentState.Hole) != 0;
}
